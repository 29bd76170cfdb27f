namespace MLTransfer.Torch.Memory;

/// <summary>The memory of this process, in bytes.</summary>
internal static class ProcessMemory
{
    /// <summary>
    /// .NET and libtorch with the code that training runs, without any network: 190 to 210 MB on Linux, of which half are pages of their
    /// files.
    /// </summary>
    private const long BareRuntime = 200_000_000;

    /// <summary>The pages of libtorch's files that only training reads.</summary>
    private const long TrainingCode = 20_000_000;

    /// <summary>What the process takes beside a network.</summary>
    /// <param name="loaded">The bytes of the network's weights that are in memory already; 0 for none.</param>
    public static long Runtime(long loaded) => Math.Max(BareRuntime, Environment.WorkingSet - loaded + TrainingCode);

    /// <summary>The most that the process can take now: what it has, and what is free.</summary>
    public static long Limit() => Environment.WorkingSet + Free();

    private static long Free()
    {
        if (OperatingSystem.IsLinux() && new LinuxMemory().Free() is { } free)
            return free;
        var memory = GC.GetGCMemoryInfo(); // as the last garbage collection saw the machine
        return Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
    }
}
