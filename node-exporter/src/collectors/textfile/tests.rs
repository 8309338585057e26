//! Directories of files, good and bad.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use exporter_core::file::FileCache;
use exporter_core::flags::Flags;
use exporter_core::testing;
use rustix::fs::{CWD, FileType, Mode};

use super::*;
use crate::host::Host;

/// A directory that is gone when the test is.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("textfile-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let long_ago = UNIX_EPOCH + Duration::from_millis(1_500);
        fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    }

    /// What is exposed, with `DIR` for the directory, and without what never differs.
    fn page(&self, pattern: &str) -> String {
        let flags = Flags::new([(&DIRECTORY, self.0.join(pattern).display().to_string())]);
        let host = Host {
            procfs: PathBuf::new(),
            sysfs: PathBuf::new(),
            rootfs: PathBuf::new(),
            udev: PathBuf::new(),
            kept: FileCache::default(),
            counted_links: crate::netlink::link::Leftover::default(),
            bus: crate::dbus::Bus::system(),
        };
        let (page, end) = testing::expose(&DEFINITION, &host, &flags);
        end.unwrap();
        let page = page.replace(&self.0.display().to_string(), "DIR");
        let lines = page.lines().filter(|line| {
            !line.starts_with("# HELP node_textfile") && !line.starts_with("# TYPE node_textfile")
        });
        lines.map(|line| line.to_owned() + "\n").collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn files_of_a_directory() {
    let directory = Directory::new("plain");
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
fn a_bad_file_costs_itself_alone() {
    let directory = Directory::new("bad");
    directory.write("a.prom", "a 1\nb 2 3\n");
    directory.write("b.prom", "b 1\n");
    directory.write("c.prom", "c 1");
    fs::create_dir_all(directory.0.join("d.prom")).unwrap();
    rustix::fs::mknodat(CWD, directory.0.join("e.prom"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let expected = "node_textfile_scrape_error 1\n\
        node_textfile_mtime_seconds{file=\"DIR/b.prom\"} 1.5\n\
        # HELP b Metric read from DIR/b.prom\n# TYPE b untyped\nb 1\n";
    assert_eq!(directory.page(""), expected);
}

#[test]
fn problems_name_their_files() {
    let directory = Directory::new("problems");
    directory.write("a.prom", "a 1\nb\n");
    fs::create_dir_all(directory.0.join("d.prom")).unwrap();
    let mut problems = BTreeSet::new();
    let directories = [directory.0.clone(), directory.0.join("none")];
    let paths = files(&directories, &mut problems);
    assert!(Cache::default().read(&paths, &mut problems).is_empty());
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| problem.replace(&directory.0.display().to_string(), "DIR"))
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
fn families_of_several_files() {
    let directory = Directory::new("merged");
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
fn patterns_links_and_what_is_not_there() {
    let directory = Directory::new("patterns");
    directory.write("one/a.prom", "a 1\n");
    directory.write("two/b.prom", "b 1\n");
    std::os::unix::fs::symlink(directory.0.join("one"), directory.0.join("link")).unwrap();
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
fn a_file_is_read_again_when_it_has_changed() {
    let directory = Directory::new("cache");
    directory.write("a.prom", "a 1\n");
    let mut cache = Cache::default();
    let mut value = || {
        let mut problems = BTreeSet::new();
        let paths = files(std::slice::from_ref(&directory.0), &mut problems);
        let files = cache.read(&paths, &mut problems);
        assert!(problems.is_empty());
        files.first().map(|file| format!("{:?}", file.page.families.first().unwrap().series))
    };
    let first = value();
    assert_eq!(value(), first);
    // Of the same size, and as old, for all that its mtime tells.
    directory.write("a.prom", "a 2\n");
    assert_ne!(value(), first);
    fs::remove_file(directory.0.join("a.prom")).unwrap();
    assert_eq!(value(), None);
}

#[test]
fn only_an_old_version_is_sure_to_be_known_again() {
    let directory = Directory::new("settled");
    directory.write("a.prom", "a 1\n");
    let stat = rustix::fs::stat(directory.0.join("a.prom")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let [old, fresh] = [now - 60, now].map(|changed| {
        let mut stat = stat;
        (stat.st_mtime, stat.st_ctime) = (1, changed);
        cache::Version::of(&stat).is_old()
    });
    assert!(old && !fresh);
}
