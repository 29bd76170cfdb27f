using System.Globalization;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML.Runtime;

namespace MLTransfer.Networks;

/// <summary>Tells <c>MLContext.Log</c> and the caller how training goes on.</summary>
internal sealed class EpochLog(IChannel channel, TorchModuleOptions options) : IProgress<EpochResult>
{
    private readonly string _metric = new LossFunction(options.Loss, Activation.None).MetricName;

    public void Report(EpochResult value)
    {
        var validation = value.ValidationLoss is { } loss
            ? string.Create(CultureInfo.InvariantCulture, $", validation loss {loss:0.0000}, validation {_metric} {value.ValidationMetric:0.0000}")
            : "";
        channel.Info(string.Create(CultureInfo.InvariantCulture,
            $"Epoch {value.Epoch} of {options.NumberOfEpochs}: loss {value.Loss:0.0000}, {_metric} {value.Metric:0.0000}{validation}, "
            + $"{value.Elapsed.TotalSeconds:0.0} s."));
        options.Progress?.Report(value);
    }

    public void Finished(TrainingHistory history)
    {
        if (history.StoppedEarly)
            channel.Info($"Stopped early after epoch {history.Epochs.Count}: the validation loss did not fall any more.");
        if (history.ModelEpoch != history.Epochs.Count)
            channel.Info($"Kept the weights of epoch {history.ModelEpoch}, which had the best validation loss.");
    }
}
