using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The state of a VITS's training after a step, or at an evaluation. Losses are weighted, as they are summed.</summary>
public sealed record SpeechProgress : RunProgress, ITrainingReport<SpeechProgress>
{
    /// <summary>Times the data was gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>All of the network's losses; null at the evaluation before the first step.</summary>
    public double? GeneratorLoss { get; init; }

    /// <summary>The discriminator's, summed over its parts; null before the first adversarial step.</summary>
    public double? DiscriminatorLoss { get; init; }

    /// <summary>What the discriminator makes of made sounds.</summary>
    public double? AdversarialLoss { get; init; }

    /// <summary>The distance of the discriminator's feature maps.</summary>
    public double? FeatureLoss { get; init; }

    /// <summary>The distance of log-mel spectrograms.</summary>
    public double? MelLoss { get; init; }

    /// <summary>Of durations: squared errors of their logarithms, or a bound of their negative log-likelihood.</summary>
    public double? DurationLoss { get; init; }

    /// <summary>The divergence of the posterior from the prior, a frame.</summary>
    public double? DivergenceLoss { get; init; }

    /// <summary>The Euclidean norm of the network's gradient before clipping.</summary>
    public double? GeneratorGradientNorm { get; init; }

    /// <summary>The Euclidean norm of the discriminator's gradient before clipping.</summary>
    public double? DiscriminatorGradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The mel loss of the validation rows, decoded whole from the posterior's means, where they were evaluated.</summary>
    public double? ValidationMelLoss { get; init; }

    /// <summary>The divergence of the validation rows, where they were evaluated.</summary>
    public double? ValidationDivergence { get; init; }

    /// <summary>The duration loss of the validation rows, where they were evaluated.</summary>
    public double? ValidationDurationLoss { get; init; }

    /// <summary>Seconds of sound trained on in a second, over the run so far.</summary>
    public double SoundSecondsPerSecond { get; init; }

    internal override double? JudgedLoss => ValidationMelLoss;

    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add(line, "loss_generator", GeneratorLoss);
        Add(line, "loss_discriminator", DiscriminatorLoss);
        Add(line, "loss_adversarial", AdversarialLoss);
        Add(line, "loss_feature_matching", FeatureLoss);
        Add(line, "loss_mel", MelLoss);
        Add(line, "loss_duration", DurationLoss);
        Add(line, "loss_kl", DivergenceLoss);
        Add(line, "grad_norm_generator", GeneratorGradientNorm);
        Add(line, "grad_norm_discriminator", DiscriminatorGradientNorm);
        Add(line, "learning_rate", LearningRate);
        Add(line, "eval_loss_mel", ValidationMelLoss);
        Add(line, "eval_loss_kl", ValidationDivergence);
        Add(line, "eval_loss_duration", ValidationDurationLoss);
        Add(line, "sound_seconds_per_second", Math.Round(SoundSecondsPerSecond, 3));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { SoundSecondsPerSecond = amountPerSecond / 1000 };

    static SpeechProgress ITrainingReport<SpeechProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Epoch = line["epoch"]!.GetValue<double>(),
        MelLoss = line["loss_mel"]?.GetValue<double>(),
        GeneratorLoss = line["loss_generator"]?.GetValue<double>(),
        DiscriminatorLoss = line["loss_discriminator"]?.GetValue<double>(),
        ValidationMelLoss = line["eval_loss_mel"]?.GetValue<double>(),
    };
}
