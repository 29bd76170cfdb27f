using System.Globalization;
using MLTransfer.Logging;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Microsoft.ML.Runtime;

namespace MLTransfer.Images;

/// <summary>Tells how the training of a network that writes codes of pictures goes on.</summary>
internal sealed class TextToImageTrainingLog(IChannel channel, IProgress<RunProgress>? next)
    : ProgressLog<TextToImageProgress>(channel, next)
{
    /// <summary>Tells how it ended.</summary>
    public void Finished(TextToImageTrainingResult result) => TellEnd(
        result.Steps, result.ModelStep, result.StoppedEarly, result.StoppedOnRequest, result.Elapsed);

    protected override void Write(TextToImageProgress value)
    {
        if (value.Loss is { } loss && (value.Step == value.TotalSteps || IsDue()))
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step} of {value.TotalSteps}, epoch {value.Epoch:0.00}: loss {loss:0.0000}, learning rate "
                + $"{value.LearningRate:0.0e+0}, {value.ImagesPerSecond:0.0} pictures/s, {value.Remaining:hh\\:mm\\:ss} left."));
        }

        if (value.Validation is { } validation)
        {
            var parts = string.Concat(validation.Parts.Select(part => string.Create(
                CultureInfo.InvariantCulture, $", {part.Key} {part.Value:0.0000}")));
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step}: validation loss {validation.Loss:0.0000} nats{parts}."));
        }
    }
}
