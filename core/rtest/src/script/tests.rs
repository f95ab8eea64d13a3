//! Scripts that are read, and the texts for those that are not.

use std::time::Duration;

use super::*;

fn error(text: &str) -> String {
    Script::parse(text).unwrap_err().to_string()
}

#[test]
fn reads_every_kind_of_stage() {
    let script = Script::parse(
        r#"[
            {"type":"send","value":{"Type":"MESSAGE","CSeq":{n}},"timeout":"1.5s","vars":{"To":"$to"}},
            {"type":"recv","value":{"Code":200},"timeout":"10s","option":true,"vars":{"$to":"From"},"tag":"r"},
            {"type":"if","vars":{"$to":"^a"},"goto":"r"},
            {"type":"end","tag":"done"}
        ]"#,
    )
    .unwrap();
    let stages = script.stages(42).unwrap();
    let labels: Vec<_> = stages.iter().map(Stage::label).collect();
    assert_eq!(labels, ["send", "recv r", "if", "end done"]);
    let Action::Send { value, sleep, .. } = &stages[0].action else { panic!() };
    assert_eq!(serde_json::to_string(value).unwrap(), r#"{"Type":"MESSAGE","CSeq":42}"#);
    assert_eq!(*sleep, Some(Duration::from_millis(1500)));
    assert!(matches!(stages[2].action, Action::If { goto: 1, .. }));
}

#[test]
fn errors_name_the_stage_and_the_field() {
    let bad = [
        "{}",
        "[]",
        "[1",
        r#"[{"type":"end"}, 5]"#,
        r#"[{"type":"end"}, {"value":{}}]"#,
        r#"[{"type":"wait"}]"#,
        r#"[{"type":7}]"#,
        r#"[{"type":"send"}]"#,
        r#"[{"type":"send","value":[1]}]"#,
        r#"[{"type":"send","value":{},"timeout":10}]"#,
        r#"[{"type":"send","value":{},"timeout":"10"}]"#,
        r#"[{"type":"send","value":{},"option":true}]"#,
        r#"[{"type":"send","value":{},"vars":{"CSeq":"cseq"}}]"#,
        r#"[{"type":"send","value":{},"vars":{"CSeq":1}}]"#,
        r#"[{"type":"recv","value":{},"option":"yes"}]"#,
        r#"[{"type":"recv","vlaue":{}}]"#,
        r#"[{"type":"recv","vars":{"cseq":"CSeq"}}]"#,
        r#"[{"type":"recv","value":{},"value":{}}]"#,
        r#"[{"type":"if","vars":{"$x":"a"}}]"#,
        r#"[{"type":"if","vars":{"$x":"("},"goto":"a"}]"#,
        r#"[{"type":"end","tag":"a"},{"type":"if","goto":"b"}]"#,
        r#"[{"type":"end","tag":"a"},{"type":"end","tag":"a"}]"#,
        r#"[{"type":"end","value":{}}]"#,
    ];
    let texts: Vec<String> = bad.iter().map(|text| format!("{text}\n    {}", error(text))).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_missing_file_is_named() {
    let text = Script::load(Path::new("no/such/script.json")).unwrap_err().to_string();
    assert_eq!(text, "cannot read the script no/such/script.json: No such file or directory (os error 2)");
}
