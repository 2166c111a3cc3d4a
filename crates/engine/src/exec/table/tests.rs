use super::*;

fn with_one() -> Execs {
    let execs = Execs::default();
    execs.insert("e", "c", ExecConfig::default());
    execs
}

#[test]
fn an_end_before_the_answer_to_the_start_stays() {
    let execs = with_one();
    execs.begin("e").unwrap();
    execs.ended("e", 3);
    execs.started("e", 4711);
    let exec = execs.get("e").unwrap();
    assert!(matches!(exec.stage, Stage::Ended(_)));
    assert_eq!((exec.pid, exec.exit_code), (0, Some(3)));
    assert_eq!(execs.unfinished("c"), None);
}

#[test]
fn a_container_takes_only_its_running_execs_along() {
    let execs = with_one();
    for (id, container) in [("done", "c"), ("runs", "c"), ("other", "d")] {
        execs.insert(id, container, ExecConfig::default());
        execs.begin(id).unwrap();
    }
    execs.ended("done", 0);
    execs.container_ended("c");
    let code = |id| execs.get(id).unwrap().exit_code;
    assert_eq!(code("done"), Some(0));
    assert_eq!(code("runs"), Some(137));
    assert_eq!(code("other"), None);
    assert_eq!(code("e"), None);
}

#[test]
fn it_is_started_once() {
    let execs = with_one();
    execs.begin("e").unwrap();
    let second = execs.begin("e").unwrap_err().to_string();
    assert_eq!(second, "Error: Exec command e is already running");
    execs.ended("e", 0);
    let third = execs.begin("e").unwrap_err().to_string();
    assert_eq!(third, "Error: Exec command e has already run");
}

#[test]
fn what_has_ended_is_forgotten_after_a_while_and_nothing_else() {
    let execs = with_one();
    execs.insert("ended", "c", ExecConfig::default());
    execs.begin("ended").unwrap();
    execs.ended("ended", 0);
    let now = Instant::now();
    for (after, left) in [(REMEMBERED / 2, 2), (REMEMBERED + SWEEP, 1)] {
        execs.table().sweep(now + after);
        assert_eq!(execs.table().by_id.len(), left);
    }
    assert!(execs.get("e").is_ok());
}
