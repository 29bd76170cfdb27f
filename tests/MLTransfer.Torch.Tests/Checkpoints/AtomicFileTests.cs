using System.Diagnostics;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Checkpoints;

public class AtomicFileTests
{
    [Fact]
    public void A_file_is_written_and_replaced_whole()
    {
        using var folder = new TemporaryFolder();
        AtomicFile.WriteAllText(folder["a.json"], "first é");
        AtomicFile.WriteAllText(folder["a.json"], "2");
        Assert.Equal("2"u8, File.ReadAllBytes(folder["a.json"]));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void The_old_file_stays_when_writing_fails()
    {
        using var folder = new TemporaryFolder();
        string path = folder["a.json"];
        AtomicFile.WriteAllText(path, "old");
        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write(new byte[100_000]);
            Assert.Equal("old", File.ReadAllText(path));
            throw new IOException("No space left on device");
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void What_a_killed_process_left_is_deleted_and_what_a_living_one_writes_is_not()
    {
        using var folder = new TemporaryFolder();
        string path = folder["a.json"], abandoned = path + ".tmp-0123456789ab", living = path + ".tmp-ba9876543210",
        foreign = path + ".tmp-notes";
        File.WriteAllText(abandoned, "half");
        File.WriteAllText(foreign, "not ours");
        using var writer = new FileStream(living, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
        AtomicFile.WriteAllText(path, "new");
        Assert.False(File.Exists(abandoned));
        Assert.True(File.Exists(living));
        Assert.True(File.Exists(foreign));
        Assert.Equal("new", File.ReadAllText(path));
    }

    [Fact]
    public void Two_writers_at_once_both_succeed()
    {
        using var folder = new TemporaryFolder();
        string path = folder["a.json"];
        AtomicFile.Write(path, outer =>
        {
            AtomicFile.WriteAllText(path, "inner");
            outer.Write("outer"u8);
        });
        Assert.Equal("outer", File.ReadAllText(path));
        Assert.Single(Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_file_that_is_mapped_can_be_replaced_and_its_tensors_keep_the_old_contents()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows refuses to replace a file that is mapped.");
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        string path = folder["a.safetensors"];
        SafetensorsWriter.Write(path, [KeyValuePair.Create("a", ones(1000))]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Tensor old = file.Read("a");
        SafetensorsWriter.Write(path, [KeyValuePair.Create("a", zeros(1000))]);
        Assert.Equal(1000, old.sum().item<float>());
    }

    [Fact]
    public void A_full_disk_leaves_the_old_file_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        string disk = Directory.CreateDirectory(folder["disk"]).FullName;
        Assert.SkipUnless(
            Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk), "Mounting a small disk takes rights that this user lacks.");
        try
        {
            using var scope = NewDisposeScope();
            string path = Path.Combine(disk, "model.safetensors");
            SafetensorsWriter.Write(path, [KeyValuePair.Create("a", ones(1000))]);
            byte[] old = File.ReadAllBytes(path);
            Assert.ThrowsAny<IOException>(() => SafetensorsWriter.Write(path, [KeyValuePair.Create("a", zeros(100_000))]));
            Assert.ThrowsAny<IOException>(() => AtomicFile.Write(path, stream =>
            {
                for (int index = 0; index < 70_000; index++) stream.WriteByte(1);
            }));
            Assert.ThrowsAny<IOException>(() => AtomicFolder.Write(Path.Combine(disk, "folder"),
                into => File.WriteAllBytes(Path.Combine(into, "a"), new byte[100_000])));
            Assert.Equal(old, File.ReadAllBytes(path));
            Assert.Single(Directory.GetFileSystemEntries(disk));
        }
        finally
        {
            Run("umount", disk);
        }
    }

    [Fact]
    public void A_device_that_is_full_ends_writing_with_an_exception()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full here.");
        using var scope = NewDisposeScope();
        using var stream = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        Assert.Throws<IOException>(() => SafetensorsWriter.Write(stream, [KeyValuePair.Create("a", ones(1000))]));
    }

    private static bool Run(string program, params string[] arguments)
    {
        if (!OperatingSystem.IsLinux()) return false;
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
