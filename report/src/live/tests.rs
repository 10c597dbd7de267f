use super::*;
use crate::page::Outlook;

const HOSTILE: &str = "</script><script>alert(1)</script>\" onload='x'\u{202E}";

fn run() -> UnderWay {
    let moment = |at| Moment {
        at: f64::from(at),
        requested: 10.0,
        achieved: 9.5,
        in_flight: 3.0,
        response_p50_us: Some(2_000.0),
        response_p99_us: Some(9_000.0),
        lag_p99_us: Some(80.0),
        own_lag_p99_us: Some(60.0),
        ..Moment::default()
    };
    UnderWay {
        id: "20261127t120000000-0001".to_owned(),
        name: "sweep".to_owned(),
        mode: "rps".to_owned(),
        platform: "local".to_owned(),
        state: "warming_up".to_owned(),
        slot: Some((2, Some(4))),
        elapsed: Some(30.4),
        duration: Some(60.0),
        counts: Some(Counts { planned: Some(600), issued: 300, completed: 200, failed: 2, cold_starts: 1 }),
        latencies: Latencies { response_p50_us: Some(2_000), response_p99_us: Some(9_000), own_lag_p99_us: Some(60) },
        moments: (0..30).map(moment).collect(),
        ..UnderWay::default()
    }
}

#[test]
fn a_run_under_way_shows_its_numbers_and_figures() {
    let html = under_way(&run());
    for expected in [
        "Under way: <bdi>sweep</bdi>",
        "warming up · rps · on local",
        "value=\"0.507\" aria-label=\"Load\">30 s of 1 min</progress>",
        "<dt>Sent</dt><dd>300 of 600</dd>",
        "<dt>Requested rate</dt><dd>10.0/s</dd>",
        "<dt>Achieved rate</dt><dd>9.50/s</dd>",
        "<dt>Failed</dt><dd>2 (1.0 %)</dd>",
        "<dt>Response p99</dt><dd>9.00 ms</dd>",
        "<dt>Own lag p99</dt><dd>60 µs</dd>",
        "<dt>Slot</dt><dd>2 of 4</dd>",
        "10.0/s requested, 9.50/s achieved.",
    ] {
        assert!(html.contains(expected), "{expected}: {html}");
    }
    assert_eq!(html.matches("<svg").count(), 5);
    assert!(html.contains("Own lag p99 60 µs; with the waits") && !html.contains("limit of the own lag"), "{html}");
    let limited = under_way(&UnderWay { lag_limit_us: Some(10_000.0), ..run() });
    assert!(limited.contains("Own lag p99 60 µs, limit 10.0 ms; with the waits"), "{limited}");
    assert_eq!(limited.matches("limit of the own lag p99: 10 ms").count(), 1, "{limited}");
    assert!(!html.contains("bottleneck") && !html.contains("clean-up waits"));
    let troubled = UnderWay { is_saturated: true, waiting_for: "the API server".to_owned(), ..run() };
    let html = under_way(&troubled);
    assert!(html.contains("The loader is the bottleneck") && html.contains("the API server"), "{html}");
}

#[test]
fn what_is_not_known_yet_is_not_shown_as_zero() {
    let deploying =
        UnderWay { functions: Some((3, 8)), elapsed: None, duration: None, counts: None, moments: Vec::new(), ..run() };
    let html = under_way(&deploying);
    assert!(
        html.contains("3 of 8 functions are deployed") && !html.contains("<dl") && !html.contains("<svg"),
        "{html}"
    );
    let quiet = |moment: Moment| Moment { response_p50_us: None, response_p99_us: None, ..moment };
    let first = UnderWay {
        counts: Some(Counts { planned: None, ..Counts::default() }),
        duration: None,
        latencies: Latencies::default(),
        moments: run().moments.into_iter().map(quiet).collect(),
        ..run()
    };
    let html = under_way(&first);
    assert!(
        html.contains("<dt>Response p50</dt><dd>–</dd>") && html.contains("Too few invocations in the last seconds"),
        "{html}"
    );
    assert!(html.contains("<dt>Sent</dt><dd>0</dd>") && html.contains("30 s of an open-ended load"), "{html}");
}

#[test]
fn workers_are_shown_with_their_sum_and_of_many_the_worst() {
    let worker = |index| Worker {
        index,
        node: format!("node-{index}"),
        state: if index == 7 { "lost".to_owned() } else { "ok".to_owned() },
        due: 1000,
        issued: 990,
        in_flight: 3,
        own_lag_p99_us: Some(100 + u64::from(index)),
        clock_bound_ns: Some(21_300),
    };
    let of = |count| under_way(&UnderWay { workers: (0..count).map(worker).collect(), ..run() });
    assert!(!of(0).contains("clock known to") && !of(1).contains(">all<"));
    let four = of(4);
    for expected in [">all<", ">4000<", ">3960<", ">12<", ">103 µs<", ">21.3 µs<", ">node-2<"] {
        assert!(four.contains(expected), "{expected}: {four}");
    }
    let many = of(1000);
    assert!(many.contains("Workers: the worst 16 of 1000") && many.contains(">lost<") && many.contains(">node-999<"));
    assert!(!many.contains(">node-5<") && many.contains(">1000000<"));
}

#[test]
fn names_from_outside_do_nothing() {
    let hostile = || HOSTILE.to_owned();
    let run = UnderWay {
        name: hostile(),
        mode: hostile(),
        platform: hostile(),
        waiting_for: hostile(),
        events: vec![(3.0, hostile())],
        workers: vec![Worker { node: hostile(), state: hostile(), ..Worker::default() }],
        ..run()
    };
    let queued = Queued { id: hostile(), name: hostile(), mode: hostile(), platform: hostile(), submitted_unix_us: 0 };
    let platform = Platform { name: hostile(), facts: vec![(hostile(), hostile())] };
    let listed = Listed {
        id: hostile(),
        name: hostile(),
        outlook: Some(Outlook { class: "good", title: hostile(), text: hostile() }),
        ..Listed::default()
    };
    let search = Search { text: hostile(), next: Some(hostile()), is_later_page: true };
    let parts = Parts { run: under_way(&run), queue: queue(&[queued], 1), platforms: platforms(&[platform]) };
    let html =
        page(HOSTILE, "1", &parts, &runs(&[listed], &search), true) + &login(HOSTILE) + &message(HOSTILE, HOSTILE);
    assert!(!html.contains("alert(1)<") && !html.contains("<script>alert") && !html.contains(" onload='"), "{html}");
    assert!(!html.contains('\u{202E}'), "{html}");
}

#[test]
fn only_runs_that_have_ended_have_reports_and_are_compared() {
    let ended = Listed {
        id: "20261127t120000000-0001".to_owned(),
        name: "one".to_owned(),
        seconds: Some(61.0),
        outlook: Some(Outlook { class: "care", title: "Read with care".to_owned(), text: "Few samples.".to_owned() }),
        ..Listed::default()
    };
    let waiting = Listed { id: "20261127t120000000-0002".to_owned(), ..Listed::default() };
    let search = Search { text: "a&b".to_owned(), next: Some("x".to_owned()), is_later_page: false };
    let html = runs(&[waiting, ended], &search);
    assert_eq!(html.matches("href=\"/runs/").count(), 1);
    assert_eq!((html.matches("name=\"a\"").count(), html.matches("name=\"b\"").count()), (1, 1));
    assert!(html.contains("1 min 1 s") && html.contains("href=\"/?q=a%26b&amp;before=x#list\">Older"), "{html}");
    assert!(runs(&[], &Search::default()).contains("no runs yet"));
}

#[test]
fn the_queue_is_shown_in_its_order_and_bounded() {
    let queued =
        |number: usize| Queued { id: format!("id-{number}"), name: format!("run {number}"), ..Queued::default() };
    let all: Vec<_> = (0..30).map(queued).collect();
    let html = queue(&all, 500);
    assert!(html.contains("Queue (500)") && html.contains("And 480 more") && !html.contains("run 20<"), "{html}");
    assert!(html.find("run 3<") < html.find("run 4<"));
    assert!(queue(&[], 0).contains("No run waits"));
}

#[test]
fn the_page_is_inside_its_own_policy() {
    let html = page("host", "1", &Parts::default(), "", false);
    let between =
        |from: &str, to: &str| html.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(it, _)| it);
    for text in [between("<style>", "</style>"), between("<script>", "</script>")] {
        assert!(policy().contains(&crate::page::hash(text.expect("is there"))), "{}", policy());
    }
    assert!(!html.contains("style=\"") && !html.contains("src=") && !html.contains("Log out"), "{html}");
    assert!(page("host", "1", &Parts::default(), "", true).contains("Log out"));
}
