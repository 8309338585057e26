//! Valid and invalid lines of the format.

use exporter_core::desc;

use super::*;

/// The series of a page, as text.
fn series(text: &str) -> Result<Vec<String>, String> {
    let page = parse(text.as_bytes())?;
    let mut all = Vec::new();
    for family in &page.families {
        let indices: Vec<_> = (0..family.labels.len()).collect();
        let mut labels = vec![""; indices.len()];
        page.series(family, &indices, &mut labels, |labels, sample| {
            let labels = labels.join("|");
            all.push(match sample {
                Sample::Number(value) => format!("{} [{labels}] {value}", family.name),
                Sample::Distribution(distribution) => {
                    let Distribution { sum, count, points } = &**distribution;
                    format!("{} [{labels}] {sum}/{count} {points:?}", family.name)
                }
            });
        });
    }
    Ok(all)
}

#[test]
fn valid_pages_are_parsed() {
    for (text, expected) in [
        ("", &[][..]),
        ("\n \n\t\n", &[]),
        ("   ", &[]),
        ("a 1\n", &["a [] 1"]),
        ("a{} 1\n", &["a [] 1"]),
        (" \ta 1\n", &["a [] 1"]),
        ("a\t1\n", &["a [] 1"]),
        ("a:b 1\n", &["a:b [] 1"]),
        ("a{x=\"1\"}1\n", &["a [1] 1"]),
        ("a{x=\"1\",} 1\n", &["a [1] 1"]),
        ("a {x=\"1\"} 1\n", &["a [1] 1"]),
        ("a{ x = \"1\" , y = \"2\" } 1\n", &["a [1|2] 1"]),
        ("a{x=\"\\\\ \\\" \\n }\"} 1\n", &["a [\\ \" \n }] 1"]),
        ("a{x=\"\0\"} 1\n", &["a [\0] 1"]),
        ("a{x=\"\"} 1\n", &["a [] 1"]),
        ("a{x=\"1\"} 1\nb 2\na{y=\"2\"} 3\n", &["a [1|] 1", "a [|2] 3", "b [] 2"]),
        ("{\"a\"} 1\n", &["a [] 1"]),
        ("{\"a\", x=\"1\"} 1\n", &["a [1] 1"]),
        ("a{\"x\"=\"1\"} 1\n", &["a [1] 1"]),
        ("#\n# \n# any thing\n#any\n# TYPE\n# HELP a\n# TYPE a \n", &[]),
        ("# TYPE a gauge\na 1\n", &["a [] 1"]),
        ("#TYPE a\tGauge\na 1\n", &["a [] 1"]),
        ("a 1\n# HELP a later\n", &["a [] 1"]),
        ("a 1\n# EOF\n", &["a [] 1"]),
        ("a nan\na inf\na +Inf\na -infinity\n", &["a [] NaN", "a [] inf", "a [] inf", "a [] -inf"]),
        (
            "a +1\na .5\na 5.\na 1e-400\na 1E3\n",
            &["a [] 1", "a [] 0.5", "a [] 5", "a [] 0", "a [] 1000"],
        ),
        ("a{quantile=\"x\",le=\"y\"} 1\n", &["a [x|y] 1"]),
        ("a_bucket{le=\"1\"} 1\n", &["a_bucket [1] 1"]),
    ] {
        assert_eq!(
            series(text).as_deref(),
            Ok(&expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
            "{text:?}"
        );
    }
}

#[test]
fn invalid_pages_are_errors() {
    for (text, problem) in [
        ("a 1", "line 1: cut off: a line feed is missing"),
        ("a 1\n#", "line 2: cut off: a line feed is missing"),
        ("a 1\nb", "line 2: cut off: a line feed is missing"),
        ("\r\n", "line 1: expected the name of a metric, found \"\\r\""),
        ("a 1\r\n", "line 1: expected a number as the value"),
        ("a 1 \n", "line 1: more than one value"),
        ("a 1 123\n", "line 1: a timestamp, which cannot be taken: leave it out"),
        ("a 1 -1\n", "line 1: a timestamp, which cannot be taken: leave it out"),
        ("a 1 x\n", "line 1: more than one value"),
        ("a 1 1 1\n", "line 1: more than one value"),
        ("a 1 # {}\n", "line 1: more than one value"),
        ("a\n", "line 1: expected a number as the value"),
        ("a x\n", "line 1: expected a number as the value"),
        ("a 0x10\n", "line 1: expected a number as the value"),
        ("a 0x1p-2\n", "line 1: expected a number as the value"),
        ("a 1_000\n", "line 1: expected a number as the value"),
        ("a 1e400\n", "line 1: expected a number as the value"),
        ("a 1,5\n", "line 1: expected a number as the value"),
        ("a +NaN\n", "line 1: expected a number as the value"),
        ("a -NaN\n", "line 1: expected a number as the value"),
        ("1a 1\n", "line 1: expected the name of a metric, found \"1a 1\""),
        ("a-b 1\n", "line 1: expected a number as the value"),
        ("ä 1\n", "line 1: expected the name of a metric, found \"ä 1\""),
        ("\0\n", "line 1: expected the name of a metric, found \"\\0\""),
        ("{} 1\n", "line 1: expected the name of a metric, found \"1\""),
        (
            "{\"a.b\"} 1\n",
            "line 1: expected a name of letters, digits and underscores, found \"\\\"a.b\\\"} 1\"",
        ),
        ("a{\"b\"} 1\n", "line 1: a second name"),
        (
            "a{x=\"1\",,} 1\n",
            "line 1: expected an equals sign after the name of a label, found \",} 1\"",
        ),
        (
            "a{x=\"1\" y=\"2\"} 1\n",
            "line 1: expected a comma or a closing brace, found \"y=\\\"2\\\"} 1\"",
        ),
        ("a{x=\"1\",x=\"2\"} 1\n", "line 1: the label x twice"),
        ("a{x='1'} 1\n", "line 1: expected a value in quotes, found \"'1'} 1\""),
        ("a{x=\"1} 1\n", "line 1: expected a closing quote, found \"1} 1\""),
        ("a{x=\"1\\\"} 1\n", "line 1: expected a closing quote, found \"1\\\\\\\"} 1\""),
        ("a{x=\"1\n\"} 1\n", "line 1: expected a closing quote, found \"1\""),
        ("a{x=\"\\t\"} 1\n", "line 1: no character is written \\t"),
        ("a{=\"1\"} 1\n", "line 1: expected the name of a label, found \"\""),
        ("a{1=\"1\"} 1\n", "line 1: expected the name of a label, found \"1\""),
        (
            "a{x:y=\"1\"} 1\n",
            "line 1: expected an equals sign after the name of a label, found \":y=\\\"1\\\"} 1\"",
        ),
        ("a{__name__=\"b\"} 1\n", "line 1: expected the name of a label, found \"__name__\""),
        ("a{", "line 1: cut off: a line feed is missing"),
        ("a{\n", "line 1: expected an equals sign after the name of a label, found \"\""),
        ("# TYPE a gauge \n", "line 1: expected a type, found \"gauge \""),
        ("# TYPE a info\n", "line 1: expected a type, found \"info\""),
        ("# TYPE a gaugehistogram\n", "line 1: expected a type, found \"gaugehistogram\""),
        (
            "# TYPE a gauge\n# TYPE a gauge\n",
            "line 2: a second TYPE of a, or one after its samples",
        ),
        ("a 1\n# TYPE a gauge\n", "line 2: a second TYPE of a, or one after its samples"),
        (
            "# TYPE h histogram\n# TYPE h_sum gauge\n",
            "line 2: a second TYPE of h_sum, or one after its samples",
        ),
        ("# HELP a x\n# HELP a x\n", "line 2: a second HELP of a"),
        ("# HELP a \\t\n", "line 1: no character is written \\t"),
        ("# HELP a \\\n", "line 1: a backslash at the end"),
        ("# HELP 1a x\n", "line 1: expected the name of a metric, found \"1a x\""),
        ("# HELP a{} x\n", "line 1: expected a space after the name, found \"{} x\""),
        (
            "# TYPE h histogram\nh_bucket{le=\"x\"} 1\n",
            "line 2: expected a number as le, found \"x\"",
        ),
        (
            "# TYPE s summary\ns{quantile=\"\"} 1\n",
            "line 2: expected a number as quantile, found \"\"",
        ),
        ("# TYPE h histogram\nh_count -1\n", "line 2: expected a count, found -1"),
        ("# TYPE h histogram\nh_bucket{le=\"1\"} NaN\n", "line 2: expected a count, found NaN"),
    ] {
        assert_eq!(series(text), Err(problem.to_owned()), "{text:?}");
    }
    assert_eq!(parse(b"a 1\nb{x=\"\xff\"} 1\n").unwrap_err(), "line 2: not UTF-8");
}

#[test]
fn histograms_and_summaries_are_parsed() {
    for (text, expected) in [
        (
            "# TYPE h histogram\nh_bucket{le=\"5\"} 2\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 9\nh_count 3\n",
            "h [] 9/3 [(1.0, 1.0), (5.0, 2.0)]",
        ),
        ("# TYPE h histogram\nh_bucket{le=\"+Inf\"} 3\n", "h [] 0/3 []"),
        ("# TYPE h histogram\nh_count 2\nh_bucket{le=\"+Inf\"} 3\n", "h [] 0/2 []"),
        (
            "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1.0\"} 4\n",
            "h [] 0/0 [(1.0, 4.0)]",
        ),
        ("# TYPE h histogram\nh 1\nh_bucket 1\nh_bucket{le=\"NaN\"} 1\n", "h [] 0/0 []"),
        (
            "# TYPE s summary\ns{quantile=\"0.9\"} 4\ns{quantile=\"0.5\"} 2\ns_sum 9\ns_count 3\n",
            "s [] 9/3 [(0.5, 2.0), (0.9, 4.0)]",
        ),
        ("# TYPE s summary\ns_count{quantile=\"0.5\"} 3\n", "s [] 0/3 []"),
    ] {
        assert_eq!(series(text).unwrap(), [expected], "{text:?}");
    }
}

#[test]
fn lines_of_a_histogram_may_be_in_any_order() {
    let text = "# TYPE h histogram\n\
        h_bucket{le=\"1\",x=\"a\",y=\"b\"} 1\nh_count{x=\"c\"} 7\n\
        h_bucket{y=\"b\",x=\"a\",le=\"2\"} 2\nh_sum{x=\"a\",y=\"b\"} 3\n";
    assert_eq!(series(text).unwrap(), ["h [a|b] 3/0 [(1.0, 1.0), (2.0, 2.0)]", "h [c|] 0/7 []"]);
}

#[test]
fn names_with_reserved_suffixes_are_separate_families() {
    let text =
        "# TYPE s summary\ns_bucket{le=\"1\"} 1\ns_count 2\n# TYPE g gauge\ng 1\ng_count 3\n";
    let expected = ["s [] 0/2 []", "s_bucket [1] 1", "g [] 1", "g_count [] 3"];
    assert_eq!(series(text).unwrap(), expected);
}

#[test]
fn help_and_type_are_parsed() {
    let page = parse(b"# HELP a one\\\\two\\nthree \"four\" \n# TYPE a counter\na 1\n").unwrap();
    let [family] = &page.families[..] else { panic!("{page:?}") };
    assert_eq!(family.help, "one\\two\nthree \"four\" ");
    assert_eq!(family.kind, Kind::Counter);
}

#[test]
fn pages_with_too_many_labels_are_errors() {
    let labels = |count| (0..count).map(|nth| format!("l{nth}=\"\"")).collect::<Vec<_>>().join(",");
    let problem = series(&format!("a{{{}}} 1\n", labels(513))).unwrap_err();
    assert_eq!(problem, "line 1: a family of more than 512 labels");
    let text = format!("a{{{}}} 1\n{}", labels(512), "a 1\n".repeat(1 << 13));
    let problem = series(&text).unwrap_err();
    assert_eq!(problem, "too many: 8193 series of a with 512 labels");
}

/// The parser terminates on truncated and modified input.
#[test]
fn damaged_pages_do_not_hang() {
    let text =
        "# HELP a b\n# TYPE a histogram\na_bucket{x=\"y\\n\",le=\"1\"} 1\na_count 2\n{\"b\"} 1\n";
    for at in 0..=text.len() {
        let _ = parse(&text.as_bytes()[..at]);
        for byte in [0, b'\n', b'"', b'\\', b'{', b'}', 0xff] {
            let mut damaged = text.as_bytes().to_vec();
            damaged.insert(at, byte);
            let _ = parse(&damaged);
        }
    }
}

#[test]
fn fuzz_textfile() {
    let corpus = exporter_core::testing::corpus(env!("CARGO_MANIFEST_DIR"), "textfile");
    exporter_core::testing::fuzz(corpus, |bytes| match parse(bytes) {
        Err(problem) => assert_eq!(problem.lines().count(), 1, "{problem}"),
        Ok(page) => {
            for family in &page.families {
                assert!(desc::is_metric_name(&family.name), "{}", family.name);
                let indices: Vec<_> = (0..family.labels.len()).collect();
                page.series(family, &indices, &mut Vec::new(), |_, _| ());
            }
        }
    });
}
