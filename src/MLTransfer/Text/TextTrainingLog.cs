using System.Globalization;
using MLTransfer.Logging;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Reports;
using Microsoft.ML.Runtime;

namespace MLTransfer.Text;

/// <summary>Tells how the training of a text generator goes on.</summary>
internal sealed class TextTrainingLog(IChannel channel, IProgress<TrainingProgress>? next) : ProgressLog<TrainingProgress>(channel, next)
{
    private bool _started;

    protected override void Write(TrainingProgress value)
    {
        if (!_started && value.Step > 1)
            Channel.Info(string.Create(CultureInfo.InvariantCulture, $"Training goes on from the checkpoint of step {value.Step - 1}."));
        _started = true;

        if (value.Loss is { } loss && (value.Step == value.TotalSteps || IsDue()))
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step} of {value.TotalSteps}, epoch {value.Epoch:0.00}: "
                + $"{(value.Preferences is { } preferences ? Text(preferences) : $"loss {loss:0.0000}")}, "
                + $"learning rate {value.LearningRate:0.0e+0}, {value.TokensPerSecond:0} tokens/s, {value.Remaining:hh\\:mm\\:ss} left."));
        }

        if (value.ValidationPreferences is { } validation)
        {
            Channel.Info($"Step {value.Step}: on {validation.PairCount} pairs for evaluation {Text(validation)}.");
        }
        else if (value.ValidationLoss is { } validationLoss)
        {
            Channel.Info(string.Create(CultureInfo.InvariantCulture,
                $"Step {value.Step}: validation loss {validationLoss:0.0000}, perplexity {Math.Exp(validationLoss):0.00}."));
        }

        foreach (var answer in value.Answers.OfType<TextAnswer>())
            Channel.Info($"Step {value.Step}, answer to '{Shortened(answer.Input)}': {answer.Text}");
    }

    /// <summary>What a message says of preferences.</summary>
    public static string Text(PreferenceMetrics preferences) => string.Create(CultureInfo.InvariantCulture,
        $"loss {preferences.Loss:0.0000}, reward margin {preferences.RewardMargin:0.0000}, accuracy {preferences.RewardAccuracy:0.00}");

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..60] + "...";

    public void Finished(TrainingResult result) => TellEnd(
        result.Steps, result.ModelStep, result.StoppedEarly, result.StoppedOnRequest, result.Elapsed,
        string.Create(CultureInfo.InvariantCulture, $" ({result.ValidationLoss:0.0000})"));
}
