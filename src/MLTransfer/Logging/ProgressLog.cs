using System.Diagnostics;
using System.Globalization;
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

    /// <summary>Tells how a training ended.</summary>
    /// <param name="steps">Steps done.</param>
    /// <param name="modelStep">The step whose weights the model has.</param>
    /// <param name="stoppedEarly">Whether evaluations without improvement ended it.</param>
    /// <param name="stoppedOnRequest">Whether it was asked to end.</param>
    /// <param name="elapsed">The time that it took.</param>
    /// <param name="bestLoss">What is told behind the best validation loss, such as its value.</param>
    protected void TellEnd(
        int steps, int modelStep, bool stoppedEarly, bool stoppedOnRequest, TimeSpan elapsed, string bestLoss = "")
    {
        if (stoppedEarly)
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Stopped early after step {steps}: the validation loss did not fall any more."));
        }

        if (stoppedOnRequest)
            Channel.Info(string.Create(CultureInfo.InvariantCulture, $"Stopped after step {steps}, as was asked."));
        if (modelStep != steps)
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Kept the weights of step {modelStep}, which had the best validation loss{bestLoss}."));
        }

        Channel.Info(string.Create(CultureInfo.InvariantCulture, $"Trained {steps} steps in {elapsed:hh\\:mm\\:ss}."));
    }

    /// <summary>Whether a second has gone by since this method last said so; true at first.</summary>
    protected bool IsDue()
    {
        if (_lastMessage != 0 && Stopwatch.GetElapsedTime(_lastMessage) < s_interval)
            return false;
        _lastMessage = Stopwatch.GetTimestamp();
        return true;
    }
}
