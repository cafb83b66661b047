"""Values given to widgets, where the browser answers without having seen them."""

from streamlit.testing.v1 import AppTest

from pages.parts.common import widget_defaults


def script() -> None:
    import streamlit as st

    from pages.parts.common import widget_defaults

    widget_defaults.keep("tick", True)
    st.checkbox("Tick", key="tick")
    widget_defaults.keep("name", st.session_state.get("default", "first"))
    st.text_input("Name", key="name")
    st.button("Forget", key="forget", on_click=widget_defaults.forget, args=("name",))
    st.button("Put", key="put", on_click=widget_defaults.put, args=("name", "put"))
    widget_defaults.end_run()


def page() -> AppTest:
    return AppTest.from_function(script).run()


def unseen(app: AppTest) -> None:
    """Answer as a browser that does not show the last run yet."""
    app.text_input(key=widget_defaults.SHOWN).set_value("0")


def test_what_a_person_does_to_a_widget_stays() -> None:
    app = page()
    app.checkbox(key="tick").uncheck()
    app.text_input(key="name").input("").run()
    assert not app.checkbox(key="tick").value
    assert app.text_input(key="name").value == ""
    app.run()
    assert not app.checkbox(key="tick").value
    assert app.text_input(key="name").value == ""


def test_values_that_nobody_gave_are_replaced() -> None:
    app = page()
    unseen(app)
    app.checkbox(key="tick").uncheck()
    app.text_input(key="name").input("").run()
    assert app.checkbox(key="tick").value
    assert app.text_input(key="name").value == "first"


def test_value_typed_before_the_page_was_complete_stays() -> None:
    app = page()
    unseen(app)
    app.text_input(key="name").input("typed").run()
    assert app.text_input(key="name").value == "typed"


def test_value_from_before_a_new_default_is_replaced() -> None:
    app = page()
    app.session_state["default"] = "second"
    app.run()
    unseen(app)
    app.text_input(key="name").input("first").run()
    assert app.text_input(key="name").value == "second"


def test_forgotten_value_does_not_come_back() -> None:
    app = page()
    app.text_input(key="name").input("typed").run()
    app.button(key="forget").click().run()
    assert app.text_input(key="name").value == "first"
    unseen(app)
    app.text_input(key="name").input("typed").run()
    assert app.text_input(key="name").value == "first"


def test_value_in_place_of_the_default_is_not_overtaken() -> None:
    app = page()
    app.button(key="put").click().run()
    assert app.text_input(key="name").value == "put"
    unseen(app)
    app.text_input(key="name").input("first").run()
    assert app.text_input(key="name").value == "put"
    app.text_input(key="name").input("first").run()
    assert app.text_input(key="name").value == "first"
