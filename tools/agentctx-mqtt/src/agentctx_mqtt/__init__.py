"""Live sensor readings from an MQTT broker, as a watcher of agentctx."""

from agentctx_mqtt.watcher import Mqtt

__all__ = ["Mqtt"]
