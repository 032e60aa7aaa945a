"""What is shipped to run many machines is well formed, and speaks of settings and metrics that exist."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import stat
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
import yaml

from heliograph.channels import channels
from heliograph.cli.main import app
from heliograph.config import SETTINGS, load
from heliograph.contract.declared.documents import read_yaml
from heliograph.contract.workspace import read_workspace

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "heliograph"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "heliograph.json"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
SECRETS = {
    "secret.database": "postgresql://u:p@db/heliograph",
    "secret.bus": "nats://nats:4222",
    "secret.secretKey": "k",
    "secret.adminToken": "t",
}
EVERYTHING = {**SECRETS, "ingress.enabled": "true", "ingress.tlsSecret": "tls", "api.autoscaling.enabled": "true"}
OURS = re.compile(r"(heliograph_\w+)\{what=\"(\w+)\"\}")


def tool(name: str) -> str:
    """A program of the test extra."""
    found = shutil.which(name, path=os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])))
    if found is None:
        pytest.skip(f"{name} has no package for this machine")
    return found


def ran(*command: str | Path) -> str:
    """What a program wrote; it must end well."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def unknown(given: Any, taken: Any, at: str = "") -> list[str]:
    """Where something given was not taken over."""
    if isinstance(given, dict):
        parts = [(f"{at}.{name}", value, taken.get(name)) for name, value in given.items()]
    elif isinstance(given, list):
        parts = [(f"{at}[{n}]", value, taken[n]) for n, value in enumerate(given)]
    else:
        return []
    return [one for where, value, kept in parts for one in ([where] if kept is None else unknown(value, kept, where))]


def rendered(values: dict[str, str]) -> list[dict[str, Any]]:
    """The chart's objects."""
    given = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    return [one for one in yaml.safe_load_all(ran(tool("helm"), "template", "demo", CHART, *given)) if one]


def metrics() -> set[tuple[str, str]]:
    """Every metric and its `what`, as the reference tells them."""
    known, metric = set(), ""
    for line in (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| (?:`(\w+)` \| \w+)? *\|[^|]*\|? *(?:`(\w+)`)?", line):
            metric = match[1] or metric
            known.add((metric, match[2] or ""))
    return known


def composed() -> Any:
    """The compose file."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def test_the_compose_file_keeps_to_its_schema() -> None:
    ran(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml")


def test_the_image_is_built_as_is_good_practice() -> None:
    ran(tool("hadolint"), ROOT / "Dockerfile")


def test_the_chart_is_well_formed() -> None:
    given = [part for name, value in SECRETS.items() for part in ("--set", f"{name}={value}")]
    ran(tool("helm"), "lint", "--strict", CHART, *given)


@pytest.mark.parametrize(
    "values", [SECRETS, EVERYTHING, {"existingSecret": "mine"}], ids=["few", "all", "own secret"]
)
def test_the_chart_makes_objects_that_kubernetes_takes(values: dict[str, str]) -> None:
    for made in rendered(values):
        group, _, version = made["apiVersion"].rpartition("/")
        module = importlib.import_module(f"lightkube.models.{(group or 'core').partition('.')[0]}_{version}")
        taken = msgspec.to_builtins(msgspec.convert(made, getattr(module, made["kind"])))

        assert unknown(made, taken, made["kind"]) == []


def test_the_chart_asks_for_what_it_cannot_do_without() -> None:
    done = subprocess.run([tool("helm"), "template", "demo", CHART], capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert "give secret." in done.stderr


def test_secrets_stand_in_the_secret_alone() -> None:
    objects = rendered({**SECRETS, "secret.database": "postgresql://u:hidden-word@db/h"})

    assert [one["kind"] for one in objects if "hidden-word" in str(one)] == ["Secret"]


def test_settings_that_are_given_exist() -> None:
    known = {f"HELIOGRAPH_{setting.name}" for setting in SETTINGS}
    given = set(composed()["x-heliograph"]["environment"])
    for made in rendered(SECRETS):
        given |= set(made.get("stringData", ()))
        for container in (
            made["spec"].get("template", {}).get("spec", {}).get("containers", ()) if "spec" in made else ()
        ):
            given |= {variable["name"] for variable in container["env"]}

    assert given
    assert given - known == set()


def test_every_secret_of_the_compose_file_is_made_and_for_its_owner_alone(tmp_path: Path) -> None:
    wanted = set(re.findall(r"\$\{(\w+):\?", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    target = tmp_path / ".env"
    ran(DEPLOY / "make-env", target)
    made = dict(line.split("=", 1) for line in target.read_text(encoding="ascii").splitlines())

    assert set(made) == wanted
    assert len(set(made.values())) == len(made)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_secrets_that_are_there_are_not_made_anew(tmp_path: Path) -> None:
    target = tmp_path / ".env"
    target.write_text("HELIOGRAPH_SECRET_KEY=mine\n", encoding="ascii")
    done = subprocess.run([DEPLOY / "make-env", target], capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert "stays as it is" in done.stderr
    assert target.read_text(encoding="ascii") == "HELIOGRAPH_SECRET_KEY=mine\n"


def test_secrets_are_not_committed_by_accident() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()

    assert ".env" in ignored


def test_the_database_counts_as_healthy_only_when_others_reach_it() -> None:
    """The image runs a server on its socket alone while it sets up, which `pg_isready` takes for ready."""
    assert "-h" in composed()["services"]["postgres"]["healthcheck"]["test"]


def test_the_proxy_knows_every_api_node_and_lets_them_say_why_none_is_ready() -> None:
    nodes = {
        name for name, node in composed()["services"].items() if node.get("command") == ["serve", "--roles", "api"]
    }
    lines = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8").splitlines()
    proxied = [set(re.findall(r"(\S+):8080", line)) for line in lines if "reverse_proxy" in line]

    assert nodes
    assert proxied == [nodes, nodes]


def test_prometheus_asks_every_node() -> None:
    nodes = {
        f"{name}:8080" for name, node in composed()["services"].items() if node.get("command", [""])[0] == "serve"
    }
    jobs = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]

    assert {target for job in jobs for static in job["static_configs"] for target in static["targets"]} == nodes


def test_the_compose_file_has_two_nodes_of_each_role() -> None:
    roles = [
        node["command"][-1] for node in composed()["services"].values() if node.get("command", [""])[0] == "serve"
    ]

    assert sorted(roles) == ["api", "api", "worker", "worker"]


@pytest.mark.parametrize("path", [DASHBOARD, ALERTS], ids=lambda path: str(path.name))
def test_metrics_that_are_shown_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace('\\"', '"')

    assert OURS.findall(text)
    assert set(OURS.findall(text)) - metrics() == set()


def test_panels_of_the_dashboard_do_not_cover_each_other() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_alerts_say_what_mends_them() -> None:
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]

    assert [rule["alert"] for rule in rules if not rule["annotations"].get("mend")] == []


def test_the_brokers_take_their_configuration() -> None:
    environment = {**os.environ, "NATS_PASSWORD": "a1", "NATS_ROUTE_PASSWORD": "b2"}
    command = [tool("nats-server"), "-t", "--config", str(DEPLOY / "nats" / "nats.conf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)

    assert done.returncode == 0, done.stderr


def test_the_proxy_tries_no_call_twice() -> None:
    """Caddy before 2.11.2 sends a POST on without its body and takes the node that refuses it for broken."""
    lines = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if "lb_try" in line and not line.strip().startswith("#")] == []


def test_the_workspace_to_try_sends_to_the_simulator_of_the_compose_file() -> None:
    text = (DEPLOY / "try.yaml").read_text(encoding="utf-8")
    (tenant,) = read_workspace(read_yaml(text), channels()).tenants
    (host, port), node = (tenant.connectors[0].host, tenant.connectors[0].port), composed()["services"]["simulator"]

    assert tenant.services[0].sandbox
    assert (host, node["environment"]["HELIOGRAPH_SMSC_SIMULATOR"]) == ("simulator", f"0.0.0.0:{port}")
    assert composed()["x-heliograph"]["environment"]["HELIOGRAPH_SMSC_SIMULATOR"] == f"{host}:{port}"


def test_the_image_runs_commands_that_exist() -> None:
    given = [
        node["command"] for node in composed()["services"].values() if node.get("image", "").startswith("heliograph")
    ]
    given += [
        container["args"]
        for made in rendered(SECRETS)
        if made["kind"] == "Deployment"
        for container in made["spec"]["template"]["spec"]["containers"]
    ]
    known: Any = typer.main.get_command(app)

    assert len(given) == 7
    for first, *rest in given:
        roles = known.commands[first].make_context(first, list(rest)).params.get("roles")
        assert load({"ROLES": roles}, {}).roles
