using System.Diagnostics;
using Microsoft.ML.Runtime;

namespace MLTransfer.Logging;

/// <summary>Tells <c>MLContext.Log</c> how long work goes on, and passes every report on to the user.</summary>
/// <param name="channel">Where messages go.</param>
/// <param name="next">The user's; null for nobody.</param>
internal abstract class ProgressLog<T>(IChannel channel, IProgress<T>? next) : IProgress<T>
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private long _lastMessage;

    /// <summary>Where messages go.</summary>
    protected IChannel Channel => channel;

    public void Report(T value)
    {
        Write(value);
        next?.Report(value);
        TrainingObserver.Observe(value);
    }

    /// <summary>Writes what is worth a message.</summary>
    protected abstract void Write(T value);

    /// <summary>Whether a second has gone by since this method last said so; true at first.</summary>
    protected bool IsDue()
    {
        if (_lastMessage != 0 && Stopwatch.GetElapsedTime(_lastMessage) < s_interval)
            return false;
        _lastMessage = Stopwatch.GetTimestamp();
        return true;
    }
}
