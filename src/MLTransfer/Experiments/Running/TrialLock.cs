using System.Diagnostics;

namespace MLTransfer.Experiments.Running;

/// <summary>
/// Keeps a trial's folder for the process that does the trial: where an experiment was killed, the process of its trial may live a moment
/// longer, and the trial goes on only when it has gone.
/// </summary>
internal static class TrialLock
{
    private const string FileName = "trial.lock";
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(1), s_interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Takes the lock, waiting for another process to go; disposing it gives it back.</summary>
    /// <param name="folder">The trial's; null for none to keep.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="IOException">Another process has had it for a minute.</exception>
    public static async Task<IDisposable?> TakeAsync(string? folder, CancellationToken cancellationToken)
    {
        if (folder is null)
            return null;
        Directory.CreateDirectory(folder);
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (LockFile.TryTake(Path.Combine(folder, FileName)) is { } taken)
                return taken;
            if (clock.Elapsed > s_longestWait)
                throw new IOException($"The folder '{folder}' is in use by another process of the same trial: end that first.");
            await Task.Delay(s_interval, cancellationToken).ConfigureAwait(false);
        }
    }
}
