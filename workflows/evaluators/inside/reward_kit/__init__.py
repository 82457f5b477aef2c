"""Eval Protocol by its older name, for reward functions written then."""

from importlib import import_module

protocol = import_module("eval_protocol")
__getattr__ = import_module("eval_protocol.unsupported").missing("reward_kit")

reward_function, EvaluateResult, MetricResult = (
    protocol.reward_function, protocol.EvaluateResult, protocol.MetricResult,
)  # fmt: skip
Message, models, typed_interface = protocol.Message, protocol.models, protocol.typed_interface
RewardOutput, MetricRewardOutput = EvaluateResult, MetricResult
DEEP = {"models": models, "typed_interface": typed_interface, "reward_function": typed_interface}
for _name, _module in DEEP.items():
    protocol.alias(f"{__name__}.{_name}", _module)
