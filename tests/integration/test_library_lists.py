"""Lists of scripts, search in paths and texts, tags, duplicates; both databases."""

import pytest
from sqlalchemy import text

from scriptrunner.library import duplicates
from scriptrunner.library.errors import TagExistsError, TagNotFoundError
from scriptrunner.library.models import DuplicateRule, ScriptFilter, SortKey
from scriptrunner.library.repository import figures, lists
from scriptrunner.library.tag_desk import TagDesk
from scriptrunner.storage.database import Database
from scriptrunner.storage.migrate import migrate
from scriptrunner.storage.tables import script
from tests.library_world import LibraryWorld


@pytest.fixture
def filled(library: LibraryWorld) -> LibraryWorld:
    library.write("B.py", "import os\nsay('hello 100%')\n")
    library.write("a/load_data.py", "# Größe ÄRGER\nselect_1 = 1\n")
    library.write("a/loadXdata.py", "x" * 70_000 + " beyond\n")
    library.write("a/deep/c.sql", "select 1\n")
    library.write("ä/ÖL.py", "nul \0 byte\n")
    library.scan(library.add_root())
    return library


def test_paths_are_searched_without_case_and_literally(filled):
    for part, found in [
        ("LOAD", ["a/loadXdata.py", "a/load_data.py"]),
        ("d_d", ["a/load_data.py"]),
        ("%", []),
        ("tree/a/deep", ["a/deep/c.sql"]),
        ("öl", ["ä/ÖL.py"]),
        ("b.PY", ["B.py"]),
        ("'; drop", []),
    ]:
        assert filled.names(search=part) == found, part


def test_texts_are_searched_without_case_and_literally(filled):
    for part, found in [
        ("HELLO", ["B.py"]),
        ("100%'", ["B.py"]),
        ("select_1", ["a/load_data.py"]),
        ("select 1", ["a/deep/c.sql"]),
        ("ärger", ["a/load_data.py"]),
        ("os", ["B.py"]),
        ("beyond", []),
        ("no such text", []),
    ]:
        assert filled.names(content=part) == found, part


def test_texts_are_searched_without_a_special_index(filled):
    """Where the database has no trigrams, the same queries go over a plain table."""
    with filled.database.write() as connection:
        rows = connection.execute(text("SELECT rowid, body FROM script_texts")).all()
        connection.execute(text("DROP TABLE script_texts"))
        connection.execute(
            text("CREATE TABLE script_texts (rowid INTEGER PRIMARY KEY, body TEXT)")
        )
        for row in rows:
            connection.execute(
                text("INSERT INTO script_texts VALUES (:a, :b)"),
                {"a": row[0], "b": row[1]},
            )
    assert filled.names(content="HELLO") == ["B.py"]
    assert filled.names(content="select_1") == ["a/load_data.py"]


def page(library: LibraryWorld, **options):
    chosen = {"sort": SortKey.NAME, "descending": False, "page": 1, "page_size": 2}
    with library.database.read() as connection:
        return lists.list_page(
            connection,
            ScriptFilter(),
            **{**chosen, **options},
        )


def test_lists_go_by_name_without_case_and_come_in_pages(filled):
    first, second, third, beyond = (page(filled, page=n) for n in (1, 2, 3, 9))
    shown = [each.name for part in (first, second, third) for each in part.items]
    assert shown == ["B.py", "c.sql", "load_data.py", "loadXdata.py", "ÖL.py"]
    assert (first.total, first.total_pages) == (5, 3)
    assert (beyond.items, beyond.total) == ([], 5)
    largest = page(filled, sort=SortKey.SIZE, descending=True).items
    assert [each.name for each in largest] == ["loadXdata.py", "load_data.py"]


def test_filters_go_together(filled):
    script = filled.one("a/load_data.py")
    with filled.database.write() as connection:
        values = {"owner": "ann", "environment": "prod", "lifecycle_status": "draft"}
        figures.change_meta(connection, script.id, values, now=filled.clock.utc_now())
    assert filled.names(owner="ann", status="draft", environment="prod") == [
        "a/load_data.py"
    ]
    assert filled.names(owner="ann", language="SQL") == []
    assert filled.names(language="SQL", extension=".sql") == ["a/deep/c.sql"]
    assert filled.names(root_id=script.root_id + 1) == []


def test_the_tree_shows_one_folder_at_a_time(filled):
    root = filled.one("B.py").root_id
    with filled.database.read() as connection:
        top = lists.list_folders(connection, root, "")
        below = lists.list_folders(connection, root, "a/")
    assert [(each.name, each.script_count) for each in top] == [("a", 3), ("ä", 1)]
    assert [(each.folder, each.script_count) for each in below] == [("a/deep/", 1)]
    assert filled.names(folder="a/") == ["a/loadXdata.py", "a/load_data.py"]


def test_tags_are_words_of_any_printable_kind(filled):
    desk = TagDesk(filled.database, clock=filled.clock)
    tag = desk.add("a|b, c", color="#FF00AA")
    assert (tag.name, tag.color, tag.script_count) == ("a|b, c", "#ff00aa", 0)
    with pytest.raises(TagExistsError):
        desk.add("A|B, C")
    script = filled.one("B.py").id
    desk.attach(script, tag.id)
    desk.attach(script, tag.id)
    assert filled.names(tag="a|b, c") == ["B.py"]
    assert filled.names(tag="a") == []
    renamed = desk.change(tag.id, name="etl")
    assert (renamed.name, renamed.script_count) == ("etl", 1)
    desk.delete(tag.id)
    assert list(filled.one("B.py").tags) == []
    assert desk.add("new").id > tag.id
    assert desk.list_tags()[0].script_count == 0


def test_a_tag_counts_the_scripts_that_a_list_by_it_shows(filled):
    """A missing file keeps its tags; folder roots do not count it either."""
    desk = TagDesk(filled.database, clock=filled.clock)
    tag = desk.add("etl")
    for name in ("B.py", "a/load_data.py"):
        desk.attach(filled.one(name).id, tag.id)
    assert desk.list_tags()[0].script_count == 2
    (filled.folder / "B.py").unlink()
    filled.scan(filled.one("a/load_data.py").root_id)
    assert filled.names(tag="etl") == ["a/load_data.py"]
    assert desk.list_tags()[0].script_count == 1
    assert desk.change(tag.id, name="load").script_count == 1


def test_many_scripts_are_tagged_at_once(filled):
    desk = TagDesk(filled.database, clock=filled.clock)
    tag = desk.add("etl").id
    ids = [each.id for each in filled.scripts()]
    found = desk.change_many([*ids, 10**9, 10**30], [tag], attach=True)
    assert (found.changed, list(found.unknown)) == (5, [10**9, 10**30])
    assert desk.change_many(ids[:2], [tag], attach=False).changed == 2
    with pytest.raises(TagNotFoundError):
        desk.change_many(ids, [tag + 1], attach=True)


BODY = "".join(f"value_{n} = {n}\n" for n in range(40))


def test_duplicates_by_three_rules(library):
    library.write("x/same.py", BODY)
    library.write("y/same.py", BODY)
    library.write("z/same.py", BODY.replace("value_39", "other_39"))
    library.write("copy.py", BODY)
    library.write("a/__init__.py", "")
    library.write("b/__init__.py", "")
    library.write("alone.py", "something quite different\n" * 3)
    library.scan(library.add_root())

    def find(rule: DuplicateRule) -> list[tuple[list[str], float | None]]:
        total, groups = duplicates.find_groups(library.database, rule, limit=10)
        assert total == len(groups)
        return [
            (sorted(each.relative for each in group.members), group.similarity)
            for group in groups
        ]

    assert find(DuplicateRule.NAME) == [(["x/same.py", "y/same.py", "z/same.py"], None)]
    assert find(DuplicateRule.EXACT) == [(["copy.py", "x/same.py", "y/same.py"], 1.0)]
    # 38 runs of three lines each; the last line is in one: 37 of 39 are shared.
    near = ["copy.py", "x/same.py", "y/same.py", "z/same.py"]
    ((members, share),) = find(DuplicateRule.NEAR)
    assert members == near
    assert share == pytest.approx(37 / 39, abs=0.001)
    with library.database.read() as connection:
        stats = figures.get_stats(connection)
    assert (stats.total_scripts, stats.duplicate_groups) == (7, 1)


def test_a_database_without_trigrams_gets_a_plain_table(
    empty_database_url, monkeypatch
):
    monkeypatch.setattr(script, "_FTS", "CREATE VIRTUAL TABLE x USING no_such_module")
    monkeypatch.setattr(script, "_TRIGRAMS", ("CREATE EXTENSION no_such_extension",))
    database = Database(empty_database_url)
    migrate(database)
    with database.write() as connection:
        connection.execute(text("INSERT INTO script_texts VALUES (1, 'some words')"))
        assert list(lists._find_texts(connection, "ME WO")) == [1]
    database.close()


def test_postgresql_has_its_trigrams(database):
    if database.is_sqlite:
        return
    with database.read() as connection:
        names = connection.scalars(text("SELECT indexname FROM pg_indexes")).all()
    assert {"ix_script_texts_body", "ix_scripts_path"} <= set(names)
