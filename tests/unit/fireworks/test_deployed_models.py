"""Loading LoRA models onto a deployment, when the server picks their names."""

from __future__ import annotations

import httpx
import pytest

from workflows.fireworks import deployed_models, errors

BASE = "/v1/accounts/acme/deployedModels"
MODEL, PLACE = "accounts/acme/models/tuned", "accounts/acme/deployments/p"
THERE = {
    "name": "accounts/acme/deployedModels/tuned-x7",
    "state": "DEPLOYING",
    "model": MODEL,
    "deployment": PLACE,
}


@pytest.mark.parametrize(("replace", "query"), [(False, {}), (True, {"replaceMergedAddon": "true"})])
def test_a_model_is_loaded(remote, replace, query):
    remote.on(f"POST {BASE}", THERE)
    found = deployed_models.load(remote.client(), MODEL, PLACE, "candidate", replace_merged=replace)
    assert (found.name, found.deployed) == (THERE["name"], False)
    assert dict(remote.requests[0].url.params) == query
    assert remote.body(f"POST {BASE}") == {
        "model": MODEL,
        "deployment": PLACE,
        "displayName": "candidate",
        "serverless": False,
    }


@pytest.mark.parametrize("lost", [(409, {"code": 6}), httpx.ReadTimeout("t"), (500, {"code": 13})])
def test_what_an_earlier_attempt_loaded_is_found_by_model_and_place(remote, lost):
    elsewhere = {
        **THERE,
        "name": "accounts/acme/deployedModels/a",
        "deployment": "accounts/acme/deployments/q",
    }
    leaving = {**THERE, "name": "accounts/acme/deployedModels/b", "state": "UNDEPLOYING"}
    remote.on(f"POST {BASE}", lost).on(f"GET {BASE}", {"deployedModels": [elsewhere, leaving, THERE]})
    assert deployed_models.load(remote.client(), MODEL, PLACE).name == THERE["name"]
    assert len(remote.calls(f"POST {BASE}")) == 1


def test_a_lost_load_that_had_no_effect_is_sent_again(remote):
    remote.on(f"POST {BASE}", httpx.ReadTimeout("t"), THERE).on(f"GET {BASE}", {"deployedModels": []})
    assert deployed_models.load(remote.client(), MODEL, PLACE).name == THERE["name"]
    assert len(remote.calls(f"POST {BASE}")) == 2


def test_one_that_exists_but_is_not_listed_is_a_conflict(remote):
    remote.on(f"POST {BASE}", (409, {"code": 6})).on(f"GET {BASE}", {})
    with pytest.raises(errors.Conflict, match="tuned"):
        deployed_models.load(remote.client(), MODEL, PLACE)


def test_a_refused_load_keeps_the_providers_words(remote):
    remote.on(f"POST {BASE}", (400, {"code": 9, "message": "addons cannot be used with FP8"}))
    with pytest.raises(errors.Permanent) as caught:
        deployed_models.load(remote.client(), MODEL, PLACE)
    assert caught.value.provider_message == "addons cannot be used with FP8"


def test_reading_and_unloading(remote):
    remote.on(f"GET {BASE}/tuned-x7", {**THERE, "state": "DEPLOYED"}, {**THERE, "state": "PAINTED"})
    remote.on(f"DELETE {BASE}/tuned-x7", {})
    client = remote.client()
    assert deployed_models.get(client, "tuned-x7").deployed
    assert deployed_models.get(client, THERE["name"]).state == "PAINTED"
    deployed_models.unload(client, "tuned-x7")
    assert not remote.calls(f"DELETE {BASE}/tuned-x7")[0].content
