using System.Globalization;
using MLTransfer.Logging;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Microsoft.ML.Runtime;

namespace MLTransfer.Audio.Generators;

/// <summary>Tells how the training of an audio generator goes on.</summary>
/// <param name="channel">Where messages go.</param>
/// <param name="next">The user's; null for nobody.</param>
/// <param name="describe">Messages of a report, and whether steps are due to be told of.</param>
internal sealed class AudioTrainingLog<T>(IChannel channel, IProgress<RunProgress>? next, Func<T, bool, IEnumerable<string>> describe)
    : ProgressLog<T>(channel, next)
    where T : RunProgress
{
    protected override void Write(T value)
    {
        foreach (var message in describe(value, value.Step == value.TotalSteps || IsDue()))
            Channel.Info(message);
    }

    public void Finished(AudioTrainingResult result)
    {
        if (result.StoppedEarly)
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Stopped early after step {result.Steps}: the validation loss did not fall any more."));
        }

        if (result.StoppedOnRequest)
            Channel.Info(string.Create(CultureInfo.InvariantCulture, $"Stopped after step {result.Steps}, as was asked."));
        if (result.ModelStep != result.Steps)
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Kept the weights of step {result.ModelStep}, which had the best validation loss."));
        }

        Channel.Info(string.Create(CultureInfo.InvariantCulture, $"Trained {result.Steps} steps in {result.Elapsed:hh\\:mm\\:ss}."));
    }
}
