//! Runs the parser natively over the flow scripts, at every split of the bytes.

use flowcell_sdk::testing::FlowScript;

#[test]
fn echo() {
    let script = FlowScript::parse(include_str!("echo.flow")).expect("script");
    script.check(&template::PARSER);
}
