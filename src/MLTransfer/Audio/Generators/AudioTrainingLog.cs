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

    public void Finished(AudioTrainingResult result) => TellEnd(
        result.Steps, result.ModelStep, result.StoppedEarly, result.StoppedOnRequest, result.Elapsed);
}
