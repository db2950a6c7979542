"""What the post-processor gives a function."""

from __future__ import annotations

from infra.package import ROOT
from infra.postprocess.functions import FUNCTIONS
from infra.postprocess.layers import LAYERS
from local.upgrade import REQUIREMENTS
from tests.infra.chalice_template import completed


def test_a_function_gets_its_role_size_environment_and_log_group() -> None:
    resources = completed()["Resources"]
    relay = resources["Relay"]["Properties"]
    assert relay["Role"] == {"Fn::GetAtt": ["RelayRole", "Arn"]}
    assert (relay["Runtime"], relay["Architectures"]) == ("python3.13", ["arm64"])
    size = FUNCTIONS["Relay"]
    assert (relay["MemorySize"], relay["Timeout"]) == (size.memory_mb, size.timeout_s)
    assert relay["Tracing"] == {"Ref": "Tracing"}
    assert relay["Environment"]["Variables"]["TANDEM_TABLE"] == {"Ref": "Table"}
    assert relay["LoggingConfig"] == {"LogGroup": {"Ref": "RelayLogGroup"}}
    assert "Tags" not in relay


def test_lambda_imports_the_function_alone_and_the_app_for_the_api_only() -> None:
    resources = completed()["Resources"]
    assert resources["APIHandler"]["Properties"]["Handler"] == "app.app"
    handler = resources["MailEvents"]["Properties"]["Handler"]
    assert handler == "chalicelib.functions.mail_events.mail_events"


def test_a_function_may_write_its_own_log_group_and_no_other() -> None:
    role = completed()["Resources"]["RelayRole"]["Properties"]
    (policy,) = role["Policies"]
    log = policy["PolicyDocument"]["Statement"][0]
    assert log["Resource"] == {"Fn::GetAtt": ["RelayLogGroup", "Arn"]}


def test_every_layer_is_pinned_upgraded_and_needed_by_a_function() -> None:
    needed = {name for size in FUNCTIONS.values() for name in size.layers}
    assert needed == set(LAYERS)
    for layer in LAYERS.values():
        assert (ROOT / layer.requirements).is_file()
        assert layer.requirements.removesuffix(".txt") in REQUIREMENTS


def test_a_function_names_the_layers_of_its_own_and_others_none() -> None:
    resources = completed()["Resources"]
    for logical_id, size in FUNCTIONS.items():
        expected = [{"Ref": LAYERS[name].logical_id} for name in size.layers]
        assert resources[logical_id]["Properties"].get("Layers", []) == expected


def test_no_layer_is_another_under_a_second_name() -> None:
    for kept in ("logical_id", "zipped", "requirements"):
        assert len({getattr(layer, kept) for layer in LAYERS.values()}) == len(LAYERS)
