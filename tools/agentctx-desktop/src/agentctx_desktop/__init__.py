"""The live screen and microphone, as watchers of agentctx."""

from agentctx_desktop.microphone import Microphone
from agentctx_desktop.screen import Screen

__all__ = ["Microphone", "Screen"]
