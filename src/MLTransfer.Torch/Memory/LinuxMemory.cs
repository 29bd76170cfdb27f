using System.Globalization;

namespace MLTransfer.Torch.Memory;

/// <summary>What Linux says about free memory, of the machine and of the control group (container) that the process is in.</summary>
/// <param name="root">The folder of <c>proc</c> and <c>sys</c>.</param>
internal sealed class LinuxMemory(string root = "/")
{
    /// <summary>A control group without a limit of its own has this one or a greater one in version 1.</summary>
    private const long NoLimit = 1L << 60;

    /// <summary>The bytes that the process can still take; null where the system does not tell.</summary>
    public long? Free() => (FreeOfMachine(), FreeOfGroup()) switch
    {
        ({ } machine, { } group) => Math.Min(machine, group),
        var (machine, group) => machine ?? group,
    };

    /// <summary>Free pages, and those of files that the system gives up when memory is needed.</summary>
    private long? FreeOfMachine() => Entry(In("proc", "meminfo"), "MemAvailable:") * 1024;

    /// <summary>The limit less what the group has beside pages of files that are not in use.</summary>
    private long? FreeOfGroup()
    {
        foreach (var line in Lines(In("proc", "self", "cgroup")))
        {
            // "0::/path" in version 2, "number:controllers:/path" in version 1; inside of a container the path may be that outside of it.
            if (line.Split(':', 3) is not [_, var controllers, var path])
                continue;
            var free = controllers == "" ? Free(In("sys", "fs", "cgroup"), path, "memory.max", "memory.current", "inactive_file")
                : controllers.Split(',').Contains("memory") ? Free(
                    In("sys", "fs", "cgroup", "memory"), path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                : null;
            if (free is not null)
                return free;
        }

        return null;
    }

    private static long? Free(string mount, string path, string limitFile, string usageFile, string reclaimed)
    {
        foreach (var folder in (string[])[Path.Combine(mount, path.TrimStart('/')), mount])
        {
            if (Number(Path.Combine(folder, limitFile)) is { } limit and < NoLimit && Number(Path.Combine(folder, usageFile)) is { } usage)
                return Math.Max(0, limit - usage + (Entry(Path.Combine(folder, "memory.stat"), reclaimed + " ") ?? 0));
        }

        return null;
    }

    private string In(params ReadOnlySpan<string> parts) => Path.Combine([root, .. parts]);

    private static long? Number(string file) => Lines(file) is [var line, ..] ? Parse(line) : null;

    private static long? Entry(string file, string name) =>
        Lines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line ? Parse(line[name.Length..]) : null;

    private static long? Parse(string text) =>
        long.TryParse(text.Trim().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return []; // another version of control groups, or a sandbox without them
        }
    }
}
