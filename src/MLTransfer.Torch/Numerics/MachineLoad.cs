using System.Globalization;

namespace MLTransfer.Torch.Numerics;

/// <summary>Whether a machine has more to do than its processors can.</summary>
/// <param name="Processors">
/// Those that the process may use: of a container with a quota as many as the quota pays for, which libtorch does not look at.
/// </param>
/// <param name="Waiting">
/// The share of the last ten seconds in which something that could run waited for a processor; null where the system does not tell.
/// </param>
/// <param name="Running">What ran or waited for a processor, the mean of the last minute; null where the system does not tell.</param>
internal sealed record MachineLoad(int Processors, double? Waiting, double? Running)
{
    /// <summary>A process alone makes itself wait less than this: collections of garbage run beside what it computes.</summary>
    private const double MuchWaiting = 0.4;

    /// <summary>As it is now.</summary>
    /// <param name="root">The folder of <c>proc</c>.</param>
    public static MachineLoad Read(string root = "/") => new(
        Environment.ProcessorCount,
        Number(Path.Combine(root, "proc", "pressure", "cpu"), "some avg10=") / 100, Number(Path.Combine(root, "proc", "loadavg"), ""));

    /// <summary>Why a computation will be slow, and what helps; null where nothing is wrong.</summary>
    /// <param name="threads">That it uses.</param>
    public string? Warning(int threads)
    {
        if (threads > Processors)
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"{threads} threads compute on {Processors} processors, so that they wait for each other. Set Threads to {Processors}.");
        }

        // The mean of a minute has what the process itself did, which is as much as there are processors.
        if (!(Waiting is { } waiting ? waiting > MuchWaiting : Running > 1.25 * Processors))
            return null;
        return string.Create(CultureInfo.InvariantCulture,
            $"The machine is busy: {What()}. This will take longer than it has to. Fewer Threads leave each other more.");
    }

    private string What() => Waiting is { } waiting
        ? string.Create(CultureInfo.InvariantCulture,
            $"in {waiting:P0} of the last ten seconds something waited for one of its {Processors} processors")
        : string.Create(CultureInfo.InvariantCulture,
            $"{Running:0.0} threads a time wanted its {Processors} processors in the last minute");

    /// <summary>The number behind a prefix, at the beginning of a file's first line.</summary>
    private static double? Number(string file, string prefix)
    {
        try
        {
            return File.ReadLines(file).FirstOrDefault() is { } line && line.StartsWith(prefix, StringComparison.Ordinal)
                && double.TryParse(line[prefix.Length..].Split(' ')[0], CultureInfo.InvariantCulture, out var number) ? number : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null; // another system, or a kernel that does not count it
        }
    }
}
