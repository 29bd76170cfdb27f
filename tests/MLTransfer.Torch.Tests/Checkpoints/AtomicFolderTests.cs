using MLTransfer.Torch.Checkpoints;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints;

public class AtomicFolderTests
{
    [Fact]
    public void A_folder_is_written_with_its_parents()
    {
        using var folder = new TemporaryFolder();
        string target = Path.Combine(folder.Path, "runs", "checkpoint-10");
        AtomicFolder.Write(target, into =>
        {
            Assert.Empty(Directory.GetFileSystemEntries(into));
            Assert.False(Directory.Exists(target));
            File.WriteAllText(Path.Combine(into, "a"), "1");
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(into, "sub")).FullName, "b"), "2");
        });
        Assert.Equal("1", File.ReadAllText(Path.Combine(target, "a")));
        Assert.Equal("2", File.ReadAllText(Path.Combine(target, "sub", "b")));
        Assert.Equal([target], Directory.GetFileSystemEntries(Path.GetDirectoryName(target)!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public void An_existing_folder_is_replaced_with_all_that_is_in_it(string end)
    {
        using var folder = new TemporaryFolder();
        string target = folder["model"];
        AtomicFolder.Write(target, into => File.WriteAllText(Path.Combine(into, "old"), "1"));
        AtomicFolder.Write(target + end, into =>
        {
            Assert.True(File.Exists(Path.Combine(target, "old")));
            File.WriteAllText(Path.Combine(into, "new"), "2");
        });
        Assert.Equal([Path.Combine(target, "new")], Directory.GetFileSystemEntries(target));
        Assert.Equal([target], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void The_old_folder_stays_when_writing_fails()
    {
        using var folder = new TemporaryFolder();
        string target = folder["model"];
        AtomicFolder.Write(target, into => File.WriteAllText(Path.Combine(into, "old"), "1"));
        Assert.Throws<OperationCanceledException>(() => AtomicFolder.Write(target, into =>
        {
            File.WriteAllText(Path.Combine(into, "half"), "2");
            throw new OperationCanceledException();
        }));
        Assert.Equal([Path.Combine(target, "old")], Directory.GetFileSystemEntries(target));
        Assert.Equal([target], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void What_a_killed_process_left_is_deleted_and_what_a_living_one_writes_is_not()
    {
        using var folder = new TemporaryFolder();
        string target = folder["model"], abandoned = target + ".tmp-0123456789ab", living = target + ".tmp-ba9876543210";
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(abandoned).FullName, "half"), "1");
        File.WriteAllText(abandoned + ".lock", "");
        Directory.CreateDirectory(living);
        using var hold = new FileStream(living + ".lock", FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        AtomicFolder.Write(target, into => File.WriteAllText(Path.Combine(into, "new"), "2"));
        Assert.Equal([target, living, living + ".lock"], Directory.GetFileSystemEntries(folder.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task On_Linux_the_name_is_never_missing_while_a_folder_is_replaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems take two renames.");
        using var folder = new TemporaryFolder();
        string target = folder["model"], file = Path.Combine(target, "a");
        AtomicFolder.Write(target, into => File.WriteAllText(Path.Combine(into, "a"), ""));
        using var stop = new CancellationTokenSource();
        Task<bool> alwaysThere = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (!File.Exists(file)) return false;
            }
            return true;
        }, TestContext.Current.CancellationToken);
        for (int index = 0; index < 30; index++) AtomicFolder.Write(target, into => File.WriteAllText(Path.Combine(into, "a"), ""));
        await stop.CancelAsync();
        Assert.True(await alwaysThere);
    }

    [Fact]
    public void Two_renames_replace_a_folder_too()
    {
        using var folder = new TemporaryFolder();
        string target = Directory.CreateDirectory(folder["model"]).FullName, temporary = Directory.CreateDirectory(folder["new"]).FullName;
        File.WriteAllText(Path.Combine(target, "old"), "");
        File.WriteAllText(Path.Combine(temporary, "new"), "");
        AtomicFolder.ReplaceInTwoSteps(target, temporary);
        Assert.Equal([Path.Combine(target, "new")], Directory.GetFileSystemEntries(target));
        Assert.Equal([Path.Combine(temporary, "old")], Directory.GetFileSystemEntries(temporary));
        Assert.Equal(2, Directory.GetFileSystemEntries(folder.Path).Length);
    }

    [Fact]
    public void The_old_folder_stays_when_the_second_rename_fails()
    {
        using var folder = new TemporaryFolder();
        string target = Directory.CreateDirectory(folder["model"]).FullName;
        File.WriteAllText(Path.Combine(target, "old"), "");
        Assert.ThrowsAny<IOException>(() => AtomicFolder.ReplaceInTwoSteps(target, folder["missing"]));
        Assert.Equal([Path.Combine(target, "old")], Directory.GetFileSystemEntries(target));
        Assert.Equal([target], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Files_that_nobody_may_write_to_are_taken_along()
    {
        using var folder = new TemporaryFolder();
        string target = folder["model"];
        AtomicFolder.Write(target, into =>
        {
            string file = Path.Combine(into, "vocab.json");
            File.WriteAllText(file, "{}");
            File.SetAttributes(file, FileAttributes.ReadOnly);
        });
        Assert.Equal("{}", File.ReadAllText(Path.Combine(target, "vocab.json")));
        File.SetAttributes(Path.Combine(target, "vocab.json"), FileAttributes.Normal);
    }

    [Fact]
    public void The_name_of_a_file_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["model"], "a file");
        Assert.Contains(
            "is a file", Assert.Throws<IOException>(() => AtomicFolder.Write(folder["model"], _ => { })).Message, StringComparison.Ordinal);
    }
}
