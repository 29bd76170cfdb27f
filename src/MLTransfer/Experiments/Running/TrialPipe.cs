using System.Globalization;
using System.Text;

namespace MLTransfer.Experiments.Running;

/// <summary>Lines of the journal between an experiment and the process of a trial.</summary>
internal sealed class TrialPipe(Stream stream) : IDisposable
{
    private readonly StreamReader _reader = new(stream, Encoding.UTF8, leaveOpen: true);
    private readonly Lock _lock = new();

    /// <summary>Says which experiment of the program a process serves, and through which pipe.</summary>
    public const string Variable = "MLTRANSFER_TRIAL";

    /// <summary>What <see cref="Variable"/> says; null where this process serves no trial.</summary>
    public static (int Experiment, string Name)? Served { get; } =
        Environment.GetEnvironmentVariable(Variable)?.Split(':', 2) is [var number, var name]
        && int.TryParse(number, CultureInfo.InvariantCulture, out var experiment) ? (experiment, name) : null;

    public void Write(JournalLine line)
    {
        var bytes = Encoding.UTF8.GetBytes(JournalText.Write(line) + "\n");
        lock (_lock)
        {
            stream.Write(bytes);
            stream.Flush();
        }
    }

    /// <returns>Null where the other side has gone.</returns>
    public async Task<JournalLine?> ReadAsync(CancellationToken cancellationToken) =>
        await _reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line
            ? JournalText.Read(Encoding.UTF8.GetBytes(line), "A line from the process of a trial") : null;

    public void Dispose() => _reader.Dispose();
}
