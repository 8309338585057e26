//! Directories with valid and invalid files.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exporter_core::flags::Flags;
use exporter_core::testing;
use rustix::fs::{CWD, FileType, Mode};

use super::*;
use crate::host::Host;
use crate::scratch::Scratch;

struct Directory(Scratch);

impl Directory {
    fn new() -> Self {
        Self(Scratch::new())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        self.0.write(name, text);
        let path = self.path().join(name);
        let long_ago = UNIX_EPOCH + Duration::from_millis(1_500);
        fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    }

    /// The page with `DIR` for the directory, and without constant header lines.
    fn page(&self, pattern: &str) -> String {
        let flags = Flags::new([(&DIRECTORY, self.path().join(pattern).display().to_string())]);
        let host = Host::for_tests(Path::new(""));
        let (page, result) = testing::expose(&DEFINITION, &host, &flags);
        result.unwrap();
        let page = page.replace(&self.path().display().to_string(), "DIR");
        let lines = page.lines().filter(|line| {
            !line.starts_with("# HELP node_textfile") && !line.starts_with("# TYPE node_textfile")
        });
        lines.map(|line| line.to_owned() + "\n").collect()
    }
}

#[test]
fn files_of_a_directory_are_exposed() {
    let directory = Directory::new();
    directory.write("b.prom", "# HELP b Second.\n# TYPE b counter\nb{x=\"1\"} 1\nb{y=\"2\"} 2\n");
    directory.write("a.prom", "a 1\n");
    directory.write("other.txt", "not metrics");
    let expected = "node_textfile_scrape_error 0\n\
        node_textfile_mtime_seconds{file=\"DIR/a.prom\"} 1.5\n\
        node_textfile_mtime_seconds{file=\"DIR/b.prom\"} 1.5\n\
        # HELP a Metric read from DIR/a.prom\n# TYPE a untyped\na 1\n\
        # HELP b Second.\n# TYPE b counter\nb{x=\"1\",y=\"\"} 1\nb{x=\"\",y=\"2\"} 2\n";
    assert_eq!(directory.page(""), expected);
    assert_eq!(directory.page("./"), expected);
}

#[test]
fn an_invalid_file_does_not_affect_others() {
    let directory = Directory::new();
    directory.write("a.prom", "a 1\nb 2 3\n");
    directory.write("b.prom", "b 1\n");
    directory.write("c.prom", "c 1");
    fs::create_dir_all(directory.path().join("d.prom")).unwrap();
    rustix::fs::mknodat(CWD, directory.path().join("e.prom"), FileType::Fifo, Mode::RUSR, 0)
        .unwrap();
    let expected = "node_textfile_scrape_error 1\n\
        node_textfile_mtime_seconds{file=\"DIR/b.prom\"} 1.5\n\
        # HELP b Metric read from DIR/b.prom\n# TYPE b untyped\nb 1\n";
    assert_eq!(directory.page(""), expected);
}

#[test]
fn errors_name_the_file() {
    let directory = Directory::new();
    directory.write("a.prom", "a 1\nb\n");
    fs::create_dir_all(directory.path().join("d.prom")).unwrap();
    let mut problems = BTreeSet::new();
    let directories = [directory.path().to_path_buf(), directory.path().join("none")];
    let paths = files(&directories, &mut problems);
    assert!(Cache::default().read(&paths, &mut problems).is_empty());
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| problem.replace(&directory.path().display().to_string(), "DIR"))
        .collect();
    assert_eq!(
        problems,
        [
            "DIR/a.prom: line 2: expected a number as the value",
            "cannot read DIR/d.prom: not a plain file",
            "cannot read DIR/none: No such file or directory (os error 2)",
        ]
    );
}

#[test]
fn families_of_several_files_are_merged() {
    let directory = Directory::new();
    directory.write("a.prom", "# TYPE f gauge\nf{x=\"1\"} 1\n");
    directory.write("b.prom", "# HELP f Known.\n# TYPE f gauge\nf{y=\"2\"} 2\n");
    directory.write("c.prom", "# HELP f Known.\n# TYPE f gauge\nf{y=\"3\",x=\"4\"} 3\n");
    let page = "# HELP f Known.\n# TYPE f gauge\n\
        f{x=\"1\",y=\"\"} 1\nf{x=\"\",y=\"2\"} 2\nf{x=\"4\",y=\"3\"} 3\n";
    assert!(directory.page("").ends_with(page), "{}", directory.page(""));
    assert!(directory.page("").starts_with("node_textfile_scrape_error 0\n"));
    for other in ["# HELP f Other.\n# TYPE f gauge\nf 9\n", "# HELP f Known.\nf 9\n"] {
        directory.write("d.prom", other);
        assert!(directory.page("").ends_with(page), "{}", directory.page(""));
        assert!(directory.page("").starts_with("node_textfile_scrape_error 1\n"));
    }
}

#[test]
fn patterns_links_and_missing_directories() {
    let directory = Directory::new();
    directory.write("one/a.prom", "a 1\n");
    directory.write("two/b.prom", "b 1\n");
    std::os::unix::fs::symlink(directory.path().join("one"), directory.path().join("link"))
        .unwrap();
    let taken = |pattern| {
        let page = directory.page(pattern);
        let (error, rest) = page.split_at(page.find('\n').unwrap());
        let files = rest.lines().filter_map(|line| line.split("DIR/").nth(1)?.split('"').next());
        let files = files.filter(|file| !file.contains(' ')).collect::<Vec<_>>().join(" ");
        format!("{} {files}", error.rsplit(' ').next().unwrap())
    };
    assert!(taken("*e").starts_with("0 one/a.prom"));
    assert!(taken("???").starts_with("0 one/a.prom two/b.prom"));
    assert!(taken("[l-m]*").starts_with("0 link/a.prom"));
    assert_eq!(taken("nothing*"), "1 ");
    assert_eq!(taken("nothing"), "1 ");
    assert_eq!(taken("one/a.prom"), "1 ");
}

#[test]
fn changed_files_are_read_again() {
    let directory = Directory::new();
    directory.write("a.prom", "a 1\n");
    let mut cache = Cache::default();
    let mut value = || {
        let mut problems = BTreeSet::new();
        let paths = files(&[directory.path().to_path_buf()], &mut problems);
        let files = cache.read(&paths, &mut problems);
        assert!(problems.is_empty());
        files.first().map(|file| format!("{:?}", file.page.families.first().unwrap().series))
    };
    let first = value();
    assert_eq!(value(), first);
    // The same size and modification time.
    directory.write("a.prom", "a 2\n");
    assert_ne!(value(), first);
    fs::remove_file(directory.path().join("a.prom")).unwrap();
    assert_eq!(value(), None);
}

#[test]
fn only_old_versions_are_cached() {
    let directory = Directory::new();
    directory.write("a.prom", "a 1\n");
    let stat = rustix::fs::stat(directory.path().join("a.prom")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let [old, fresh] = [now - 60, now].map(|changed| {
        let mut stat = stat;
        (stat.st_mtime, stat.st_ctime) = (1, changed);
        cache::Version::from_stat(&stat).is_old()
    });
    assert!(old && !fresh);
}
