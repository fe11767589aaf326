"""What holds for the factories of plugins, encoders, rerankers and watchers alike."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest

from agentctx.config import Config
from agentctx.contracts import Encoder, Requirement, Services
from agentctx.services import SharedServices
from agentctx.testing.doubles import FixedServices


class FactoryContract:
    """What holds for every factory; ``options`` are the keyword arguments it is tested with."""

    contract: ClassVar[type]
    factory: ClassVar[Callable[..., Any]]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def services(self) -> Services:
        """What the factory is handed: the real services, unless overridden."""
        return SharedServices(Config())

    def make(self, services: Services) -> Any:  # noqa: ANN401
        """A fresh product of the factory, with the options."""
        return type(self).factory(services, **self.options)

    def test_the_factory_is_cheap_and_keeps_the_protocol(self) -> None:
        """Made, it asks for no weights."""
        services = FixedServices()
        made = self.make(services)
        assert isinstance(made, self.contract), f"{made!r} is no {self.contract.__name__}"
        if isinstance(made, Encoder):
            assert made.card, "an encoder has a card before its model is loaded"
        assert not services.asked, f"weights are asked for before they are used: {services.asked}"

    def test_options_are_keywords(self) -> None:
        """Config gives them by name, and all of them have a default."""
        _, *options = inspect.signature(type(self).factory).parameters.values()
        for option in options:
            assert option.kind is option.KEYWORD_ONLY, f"{option.name} must be keyword-only"
            assert option.default is not option.empty, f"{option.name} needs a default"

    def test_requires_is_a_tuple_of_requirements(self) -> None:
        """What ``agentctx plugins`` lists as missing comes from it."""
        requires = getattr(type(self).factory, "requires", ())
        assert isinstance(requires, tuple), f"requires is a {type(requires).__name__}, no tuple"
        assert all(isinstance(need, Requirement) for need in requires), f"requires: {requires!r}"
