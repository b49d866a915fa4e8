"""Which configuration and which state directory a folder leads to, as a person who runs wrangler there expects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.model.bindings import Project
from workbench.model.errors import WorkbenchError
from workbench.project import load


def config(folder: Path, file: str = "wrangler.jsonc", /, **fields: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file
    path.write_text(json.dumps(fields))
    return path


def state(folder: Path, *objects: str) -> Path:
    made = folder / ".wrangler" / "state"
    (made / "v3").mkdir(parents=True, exist_ok=True)
    for name in objects:
        (made / "v3" / "do" / name).mkdir(parents=True)
    return made


def workers(project: Project) -> list[str]:
    return [worker.name for worker in project.workers]


def test_the_config_is_found_from_a_folder_deep_inside(tmp_path: Path) -> None:
    path = config(tmp_path, name="shop")
    (tmp_path / "src" / "routes").mkdir(parents=True)
    project = load(str(tmp_path / "src" / "routes"))
    assert project.folder == str(tmp_path)
    assert project.workers[0].config_path == str(path)
    assert project.state_directory == str(tmp_path / ".wrangler" / "state")


def test_the_current_folder_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config(tmp_path, name="shop")
    monkeypatch.chdir(tmp_path)
    assert os.path.isabs(load().workers[0].config_path)
    assert workers(load()) == ["shop"]


def test_json_comes_before_jsonc_before_toml_and_the_ignored_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text('name = "three"')
    config(tmp_path, "wrangler.jsonc", name="two")
    config(tmp_path, "wrangler.json", name="one")
    project = load(str(tmp_path))
    assert workers(project) == ["one"]
    assert [Path(problem.file).name for problem in project.problems] == ["wrangler.jsonc", "wrangler.toml"]


def test_a_json_config_far_above_wins_over_a_nearer_jsonc_as_in_wrangler(tmp_path: Path) -> None:
    config(tmp_path, "wrangler.json", name="far")
    config(tmp_path / "near", "wrangler.jsonc", name="near")
    project = load(str(tmp_path / "near"))
    assert workers(project) == ["far"]
    assert project.problems[0].file == str(tmp_path / "near" / "wrangler.jsonc")


def test_persist_to_is_relative_to_where_one_stands_and_holds_v3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(tmp_path / "app", name="shop")
    (tmp_path / "shared" / "v3").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    project = load("app", persist_to="shared")
    assert project.state_directory == str(tmp_path / "shared")
    assert load("app", persist_to="shared/v3").state_directory == str(tmp_path / "shared")
    assert load("app", persist_to="not-yet").state_directory == str(tmp_path / "not-yet")


def test_the_generated_config_is_read_and_the_state_stays_with_the_users_own(tmp_path: Path) -> None:
    config(tmp_path, name="shop", kv_namespaces=[{"binding": "OLD", "id": "old"}])
    config(tmp_path / "dist", "wrangler.json", name="shop", kv_namespaces=[{"binding": "NEW", "id": "new"}])
    config(tmp_path / "dist" / "jobs", "wrangler.json", name="jobs")
    config(
        tmp_path / ".wrangler" / "deploy",
        "config.json",
        configPath="../../dist/wrangler.json",
        auxiliaryWorkers=[{"configPath": "../../dist/jobs/wrangler.json"}],
    )
    (tmp_path / ".dev.vars").write_text("SECRET=x")
    project = load(str(tmp_path))
    assert workers(project) == ["shop", "jobs"]
    assert [binding.name for binding in project.workers[0].bindings] == ["NEW", "SECRET"]
    assert project.state_directory == str(tmp_path / ".wrangler" / "state")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"configPath": "../../gone.json"}', "does not exist"),
        ("{}", "names no generated configuration"),
        ("{", "names no generated configuration"),
        ('{"configPath": 5}', "names no generated configuration"),
    ],
)
def test_a_redirect_that_leads_nowhere_is_a_problem_and_the_users_config_is_read(
    tmp_path: Path, text: str, said: str
) -> None:
    config(tmp_path, name="shop")
    (tmp_path / ".wrangler" / "deploy").mkdir(parents=True)
    (tmp_path / ".wrangler" / "deploy" / "config.json").write_text(text)
    project = load(str(tmp_path))
    assert workers(project) == ["shop"]
    assert said in project.problems[0].message


def test_a_redirect_beside_another_config_is_not_used(tmp_path: Path) -> None:
    config(tmp_path, ".wrangler.json")
    config(tmp_path / "app", name="shop")
    config(tmp_path / ".wrangler" / "deploy", "config.json", configPath="../../.wrangler.json")
    project = load(str(tmp_path / "app"))
    assert workers(project) == ["shop"]
    assert "is not beside" in project.problems[0].message


def test_state_without_a_config_still_opens(tmp_path: Path) -> None:
    made = state(tmp_path)
    (tmp_path / "deep").mkdir()
    for folder in (tmp_path, tmp_path / "deep", made, made / "v3"):
        project = load(str(folder))
        assert (project.workers, project.state_directory) == ((), str(made)), folder
        assert project.folder == str(tmp_path)


def test_a_bare_state_directory_opens_as_what_persist_to_made(tmp_path: Path) -> None:
    (tmp_path / "kept" / "v3" / "kv").mkdir(parents=True)
    project = load(str(tmp_path / "kept"))
    assert (project.workers, project.state_directory) == ((), str(tmp_path / "kept"))


def test_neither_config_nor_state_says_what_was_looked_for_and_names_the_demo(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as raised:
        load(str(tmp_path))
    assert raised.value.code == "project.not_found"
    assert str(tmp_path) in raised.value.message
    assert all(
        name in raised.value.message for name in ("wrangler.jsonc", "wrangler.toml", ".wrangler/state")
    )
    assert "cfwb demo" in raised.value.hint


def test_a_folder_that_is_not_there_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as raised:
        load(str(tmp_path / "nowhere"))
    assert raised.value.code == "project.no_such_folder"


def test_a_second_config_in_the_folder_is_a_worker_of_its_own_on_the_same_state(tmp_path: Path) -> None:
    config(tmp_path, name="web")
    config(tmp_path, "wrangler.jobs.jsonc", name="jobs")
    project = load(str(tmp_path))
    assert workers(project) == ["web", "jobs"]
    assert workers(load(str(tmp_path), worker="jobs"))[0] == "jobs"


def monorepo(folder: Path) -> None:
    (folder / ".git").mkdir(parents=True)
    config(folder / "apps" / "web", name="web", services=[{"binding": "API", "service": "api"}])
    config(folder / "apps" / "api", name="api")
    config(folder / "apps" / "mail", name="mail")
    config(folder / "node_modules" / "x", name="dependency")
    config(folder / "apps" / "web" / "dist", "wrangler.json", name="built")


def test_a_worker_that_a_binding_names_shares_the_state_where_it_has_none_of_its_own(tmp_path: Path) -> None:
    monorepo(tmp_path)
    project = load(str(tmp_path / "apps" / "web"))
    assert workers(project) == ["web", "api"]
    assert project.others == (str(tmp_path / "apps" / "mail" / "wrangler.jsonc"),)
    state(tmp_path / "apps" / "api")
    assert workers(load(str(tmp_path / "apps" / "web"))) == ["web"]


def test_a_worker_that_left_objects_in_the_state_shares_it(tmp_path: Path) -> None:
    monorepo(tmp_path)
    state(tmp_path / "apps" / "api", "mail-Inbox")
    state(tmp_path / "apps" / "mail")
    assert workers(load(str(tmp_path / "apps" / "api"))) == ["api", "mail"]


def test_a_worker_whose_objects_lie_in_another_ones_state_is_told_where(tmp_path: Path) -> None:
    monorepo(tmp_path)
    there = state(tmp_path / "apps" / "api", "mail-Inbox")
    project = load(str(tmp_path / "apps" / "mail"))
    assert workers(project) == ["mail"]
    assert str(there) in project.problems[0].message
    assert load(str(tmp_path / "apps" / "web")).problems == ()


def test_the_root_of_a_monorepo_opens_on_the_state_that_lies_there(tmp_path: Path) -> None:
    monorepo(tmp_path)
    state(tmp_path)
    state(tmp_path / "apps" / "mail")
    project = load(str(tmp_path))
    assert workers(project) == ["api", "web"]
    assert project.state_directory == str(tmp_path / ".wrangler" / "state")
    assert project.others == (str(tmp_path / "apps" / "mail" / "wrangler.jsonc"),)


def test_the_root_of_a_monorepo_without_state_opens_a_worker_that_has_some_and_says_there_are_more(
    tmp_path: Path,
) -> None:
    monorepo(tmp_path)
    state(tmp_path / "apps" / "mail")
    project = load(str(tmp_path))
    assert workers(project) == ["mail"]
    assert project.problems == ()
    assert project.notice == "mail is one of 3 Workers here; choose with --worker NAME"
    assert len(project.others) == 2


@pytest.mark.parametrize("worker", ["mail", "apps/mail/wrangler.jsonc"])
def test_a_worker_is_chosen_by_its_name_or_its_file(tmp_path: Path, worker: str) -> None:
    monorepo(tmp_path)
    project = load(str(tmp_path), worker=worker)
    assert workers(project)[0] == "mail"
    assert project.state_directory == str(tmp_path / "apps" / "mail" / ".wrangler" / "state")


def test_a_sibling_worker_is_chosen_from_inside_another(tmp_path: Path) -> None:
    monorepo(tmp_path)
    assert load(str(tmp_path / "apps" / "web"), worker="mail").folder == str(tmp_path / "apps" / "mail")


def test_an_unknown_worker_is_an_error_that_lists_those_there_are(tmp_path: Path) -> None:
    monorepo(tmp_path)
    with pytest.raises(WorkbenchError) as raised:
        load(str(tmp_path), worker="nosuch")
    assert raised.value.code == "project.unknown_worker"
    assert "api, mail, web" in raised.value.hint


def test_an_unknown_environment_is_an_error_that_lists_those_there_are(tmp_path: Path) -> None:
    config(tmp_path, name="shop", env={"staging": {}, "production": {}})
    with pytest.raises(WorkbenchError) as raised:
        load(str(tmp_path), environment="nosuch")
    assert raised.value.code == "project.unknown_environment"
    assert "staging, production" in raised.value.hint


def test_the_environment_comes_from_the_variable_wrangler_reads_unless_one_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(tmp_path, name="shop", env={"staging": {}, "production": {}})
    monkeypatch.setenv("CLOUDFLARE_ENV", "staging")
    assert workers(load(str(tmp_path))) == ["shop-staging"]
    assert workers(load(str(tmp_path), environment="production")) == ["shop-production"]
    assert workers(load(str(tmp_path), environment="")) == ["shop"]


def test_what_an_environment_does_not_inherit_is_said(tmp_path: Path) -> None:
    config(tmp_path, name="shop", kv_namespaces=[{"binding": "A", "id": "a"}], env={"staging": {}})
    worker = load(str(tmp_path), environment="staging").workers[0]
    assert worker.bindings == ()
    assert '"kv_namespaces" is set at the top level only' in worker.problems[0].message


def test_links_that_go_in_circles_do_not_matter(tmp_path: Path) -> None:
    config(tmp_path / "app", name="shop")
    (tmp_path / "app" / "loop").symlink_to(tmp_path)
    (tmp_path / "wrangler.json").symlink_to("wrangler.json")
    assert workers(load(str(tmp_path))) == ["shop"]


def test_a_config_reached_through_a_link_keeps_its_state_where_the_link_lies(tmp_path: Path) -> None:
    real = config(tmp_path / "configs", "shop.jsonc", name="shop")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "wrangler.jsonc").symlink_to(real)
    project = load(str(tmp_path / "app"))
    assert project.state_directory == str(tmp_path / "app" / ".wrangler" / "state")


def test_passwords_in_a_config_are_masked_and_secrets_keep_their_source(tmp_path: Path) -> None:
    config(
        tmp_path,
        name="shop",
        hyperdrive=[
            {"binding": "DB", "id": "x", "localConnectionString": "postgres://me:hunter2@localhost/db"}
        ],
        r2_buckets=[
            {
                "binding": "R2",
                "bucket_name": "files",
                "local_dev": {
                    "experimental_s3_credentials": {"accessKeyId": "me", "secretAccessKey": "hunter2"}
                },
            }
        ],
    )
    (tmp_path / ".dev.vars").write_text("TOKEN=hunter2")
    found = {binding.name: binding for binding in load(str(tmp_path)).workers[0].bindings}
    assert "hunter2" not in repr((found["DB"], found["R2"]))
    assert "localhost/db" in found["DB"].detail["localConnectionString"]
    assert found["TOKEN"].kind == "secret"
    assert found["TOKEN"].detail == {"source": ".dev.vars", "value": "hunter2"}


def test_reading_a_project_imports_nothing_heavy(tmp_path: Path) -> None:
    config(tmp_path, name="shop", kv_namespaces=[{"binding": "A", "id": "a"}])
    (tmp_path / ".dev.vars").write_text("A=1")
    code = "import sys; from workbench.project import load; load(sys.argv[1]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    heavy = (
        "asyncio dataclasses inspect textual httpx click pathlib tomllib logging subprocess urllib sqlite3"
    )
    assert not loaded & set(heavy.split())
    assert "workbench.project.recovery" not in loaded


def test_an_env_file_that_refers_to_itself_without_end_is_read_at_once(tmp_path: Path) -> None:
    config(tmp_path, name="shop")
    lines = ["A0=" + "x" * 100, "LOOP=$LOOP$POOL", "POOL=$LOOP"]
    lines += [f"A{n}=" + f"${{A{n - 1}}}" * 50 for n in range(1, 40)]
    (tmp_path / ".env").write_text("\n".join(lines))
    found = {binding.name: binding.detail["value"] for binding in load(str(tmp_path)).workers[0].bindings}
    assert found["A1"] == "x" * 5000
    assert found["LOOP"] == ""
    assert len(found) == 42
