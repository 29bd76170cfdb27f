using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The state of a codec's training after a step.</summary>
public sealed record EnCodecProgress : RunProgress, ITrainingReport<EnCodecProgress>
{
    /// <summary>Times the sounds were gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>The mean absolute difference of samples.</summary>
    public double? WaveformLoss { get; init; }

    /// <summary>The difference of mel spectrograms.</summary>
    public double? MelLoss { get; init; }

    /// <summary>The mean squared distance from what was quantized to its codewords.</summary>
    public double? CommitmentLoss { get; init; }

    /// <summary>How far discriminators are from taking decoded sounds for real; null in steps without them.</summary>
    public double? AdversarialLoss { get; init; }

    /// <summary>The difference between what discriminators make of real and of decoded sounds on the way.</summary>
    public double? FeatureLoss { get; init; }

    /// <summary>How far discriminators are from telling real sounds from decoded ones; null in steps that do not update them.</summary>
    public double? DiscriminatorLoss { get; init; }

    /// <summary>The codebooks that the step used.</summary>
    public int? Codebooks { get; init; }

    /// <summary>
    /// Into how many codewords of even use the codes of the step would fit, the mean over codebooks: the exponential of their entropy.
    /// </summary>
    public double? Perplexity { get; init; }

    /// <summary>The share of codewords that the step used, the mean over codebooks.</summary>
    public double? UsedShare { get; init; }

    /// <summary>The Euclidean norm of the codec's gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The difference of mel spectrograms on the validation sounds with all codebooks, where they were evaluated.</summary>
    public double? ValidationMelLoss { get; init; }

    /// <summary>The mean absolute difference of samples on the validation sounds, where they were evaluated.</summary>
    public double? ValidationWaveformLoss { get; init; }

    /// <summary>The perplexity of the validation sounds' codes, for each codebook; empty where they were not evaluated.</summary>
    public IReadOnlyList<double> ValidationPerplexities { get; init; } = [];

    /// <summary>The share of codewords that the validation sounds use, for each codebook; empty where they were not evaluated.</summary>
    public IReadOnlyList<double> ValidationUsedShares { get; init; } = [];

    /// <summary>Samples of each channel trained on a second, over the run so far.</summary>
    public double SamplesPerSecond { get; init; }

    internal override double? JudgedLoss => ValidationMelLoss;

    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add(line, "waveform_loss", WaveformLoss);
        Add(line, "mel_loss", MelLoss);
        Add(line, "commitment_loss", CommitmentLoss);
        Add(line, "adversarial_loss", AdversarialLoss);
        Add(line, "feature_loss", FeatureLoss);
        Add(line, "discriminator_loss", DiscriminatorLoss);
        Add(line, "codebooks", Codebooks);
        Add(line, "perplexity", Perplexity);
        Add(line, "used_share", UsedShare);
        Add(line, "grad_norm", GradientNorm);
        Add(line, "learning_rate", LearningRate);
        Add(line, "eval_mel_loss", ValidationMelLoss);
        Add(line, "eval_waveform_loss", ValidationWaveformLoss);
        foreach (var (codebook, perplexity) in ValidationPerplexities.Index())
            Add(line, $"eval_perplexity_{codebook}", perplexity);
        foreach (var (codebook, share) in ValidationUsedShares.Index())
            Add(line, $"eval_used_share_{codebook}", share);
        Add(line, "samples_per_second", Math.Round(SamplesPerSecond, 1));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { SamplesPerSecond = amountPerSecond };

    static EnCodecProgress ITrainingReport<EnCodecProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Epoch = line["epoch"]!.GetValue<double>(),
        MelLoss = line["mel_loss"]?.GetValue<double>(),
        ValidationMelLoss = line["eval_mel_loss"]?.GetValue<double>(),
    };
}
