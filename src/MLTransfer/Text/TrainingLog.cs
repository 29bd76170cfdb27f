using System.Diagnostics;
using System.Globalization;
using MLTransfer.Torch.Checkpoints.Hub;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML.Runtime;

namespace MLTransfer.Text;

/// <summary>Tells <c>MLContext.Log</c> and the caller how training and downloads go on.</summary>
internal sealed class TrainingLog(IChannel channel, IProgress<TrainingProgress>? next) : IProgress<TrainingProgress>, IProgress<DownloadProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private long _lastMessage;
    private bool _started;

    public void Report(TrainingProgress value)
    {
        if (!_started && value.Step > 1)
            channel.Info(string.Create(CultureInfo.InvariantCulture, $"Training goes on from the checkpoint of step {value.Step - 1}."));
        _started = true;

        if (value.Loss is { } loss && (value.Step == value.TotalSteps || IsDue()))
        {
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step} of {value.TotalSteps}, epoch {value.Epoch:0.00}: loss {loss:0.0000}, learning rate {value.LearningRate:0.0e+0}, "
                + $"{value.TokensPerSecond:0} tokens/s, {value.Remaining:hh\\:mm\\:ss} left."));
        }

        if (value.ValidationLoss is { } validationLoss)
        {
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step}: validation loss {validationLoss:0.0000}, perplexity {Math.Exp(validationLoss):0.00}."));
        }

        next?.Report(value);
    }

    public void Report(DownloadProgress value)
    {
        if (IsDue())
        {
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Downloading {value.File}: {value.BytesDone / 1e6:0} of {value.BytesTotal / 1e6:0} MB."));
        }
    }

    public void Finished(TrainingResult result)
    {
        if (result.StoppedEarly)
        {
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Stopped early after step {result.Steps}: the validation loss did not fall any more."));
        }

        if (result.ModelStep != result.Steps)
        {
            channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Kept the weights of step {result.ModelStep}, which had the best validation loss ({result.ValidationLoss:0.0000})."));
        }

        channel.Info(string.Create(CultureInfo.InvariantCulture, $"Trained {result.Steps} steps in {result.Elapsed:hh\\:mm\\:ss}."));
    }

    private bool IsDue()
    {
        if (_lastMessage != 0 && Stopwatch.GetElapsedTime(_lastMessage) < Interval)
            return false;
        _lastMessage = Stopwatch.GetTimestamp();
        return true;
    }
}
