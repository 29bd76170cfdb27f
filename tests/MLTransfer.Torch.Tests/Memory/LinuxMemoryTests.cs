using MLTransfer.Torch.Memory;
using Xunit;

namespace MLTransfer.Torch.Tests.Memory;

/// <summary>Free memory as made-up files of <c>/proc</c> and <c>/sys</c> tell it.</summary>
public sealed class LinuxMemoryTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public LinuxMemoryTests() => Write("proc/meminfo", "MemTotal:        8000000 kB\nMemAvailable:    3000000 kB\n");

    private long? Free => new LinuxMemory(_root.Path).Free();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Without_a_control_group_what_the_machine_has_available_is_free() => Assert.Equal(3_000_000L * 1024, Free);

    [Fact]
    public void A_limit_of_version_2_counts_less_what_is_in_use_but_pages_of_idle_files()
    {
        Write("proc/self/cgroup", "0::/app/worker\n");
        Write("sys/fs/cgroup/app/worker/memory.max", "1000000000\n");
        Write("sys/fs/cgroup/app/worker/memory.current", "700000000\n");
        Write("sys/fs/cgroup/app/worker/memory.stat", "anon 400000000\ninactive_file 250000000\n");
        Assert.Equal(550_000_000, Free);

        Write("sys/fs/cgroup/app/worker/memory.max", "max\n");
        Assert.Equal(3_000_000L * 1024, Free);
    }

    [Fact]
    public void A_limit_of_version_1_counts_also_where_the_group_is_the_root_of_a_container()
    {
        Write("proc/self/cgroup", "5:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n");
        Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "500000000\n");
        Write("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 100000000\n");
        Assert.Equal(1_600_000_000, Free);

        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"); // what stands for none
        Assert.Equal(3_000_000L * 1024, Free);
    }

    [Fact]
    public void Where_the_system_tells_nothing_nothing_is_said()
    {
        File.Delete(_root["proc/meminfo"]);
        Assert.Null(Free);
    }

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root[path])!);
        File.WriteAllText(_root[path], text);
    }
}
