using System.Globalization;
using MLTransfer.Logging;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML.Runtime;

namespace MLTransfer.Networks;

/// <summary>Tells how the training of new layers goes on.</summary>
internal sealed class NetworkTrainingLog(IChannel channel, ModuleTrainingOptions options, IProgress<EpochResult>? next)
    : ProgressLog<EpochResult>(channel, next)
{
    private readonly string _metric = new LossFunction(options.Loss, Activation.None).MetricName;

    protected override void Write(EpochResult value)
    {
        var validation = value.ValidationLoss is { } loss
            ? string.Create(
                CultureInfo.InvariantCulture, $", validation loss {loss:0.0000}, validation {_metric} {value.ValidationMetric:0.0000}")
            : "";
        Channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Epoch {value.Epoch} of {options.NumberOfEpochs}: loss {value.Loss:0.0000}, {_metric} {value.Metric:0.0000}{validation}, "
            + $"{value.Elapsed.TotalSeconds:0.0} s."));
    }

    public void Finished(TrainingHistory history)
    {
        if (history.StoppedEarly)
            Channel.Info($"Stopped early after epoch {history.Epochs.Count}: the validation loss did not fall any more.");
        if (history.StoppedOnRequest)
            Channel.Info($"Stopped in epoch {history.Epochs.Count}, as was asked.");
        if (history.ModelEpoch != history.Epochs.Count)
            Channel.Info($"Kept the weights of epoch {history.ModelEpoch}, which had the best validation loss.");
    }
}
