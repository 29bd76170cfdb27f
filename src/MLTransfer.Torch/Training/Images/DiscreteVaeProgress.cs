using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Images;

/// <summary>The state of a discrete VAE's training after a step.</summary>
public sealed record DiscreteVaeProgress : RunProgress, ITrainingReport<DiscreteVaeProgress>
{
    /// <summary>Times the pictures were gone through, with its fraction.</summary>
    public required double Epoch { get; init; }

    /// <summary>The distance of pictures and the weighted divergence.</summary>
    public double? Loss { get; init; }

    /// <summary>The distance of decoded pictures from real ones (<see cref="DiscreteVaeTrainingOptions.ReconstructionLoss"/>).</summary>
    public double? ReconstructionLoss { get; init; }

    /// <summary>How far the use of codewords is from even: a mean over codes, or for dalle-pytorch's networks a sum.</summary>
    public double? KlDivergence { get; init; }

    /// <summary>The weight of the divergence in the step.</summary>
    public double? KlWeight { get; init; }

    /// <summary>The temperature of the relaxation in the step.</summary>
    public double? Temperature { get; init; }

    /// <summary>
    /// Into how many codewords of even use the likeliest codes of the step would fit: the exponential of their entropy.
    /// </summary>
    public double? Perplexity { get; init; }

    /// <summary>The share of codewords that are the likeliest anywhere in the step.</summary>
    public double? UsedShare { get; init; }

    /// <summary>The Euclidean norm of the gradient before clipping.</summary>
    public double? GradientNorm { get; init; }

    /// <summary>The learning rate of the step.</summary>
    public double? LearningRate { get; init; }

    /// <summary>The distance of the validation pictures from what is decoded of their codes, where they were evaluated.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>The mean squared difference of their pixels, from 0 to 1.</summary>
    public double? ValidationPixelError { get; init; }

    /// <summary>The perplexity of their codes.</summary>
    public double? ValidationPerplexity { get; init; }

    /// <summary>The share of codewords among their codes.</summary>
    public double? ValidationUsedShare { get; init; }

    /// <summary>Pictures trained on a second, over the run so far.</summary>
    public double ImagesPerSecond { get; init; }

    internal override double? JudgedLoss => ValidationLoss;

    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["epoch"] = Math.Round(Epoch, 4) };
        Add(line, "loss", Loss);
        Add(line, "reconstruction_loss", ReconstructionLoss);
        Add(line, "kl_divergence", KlDivergence);
        Add(line, "kl_weight", KlWeight);
        Add(line, "temperature", Temperature);
        Add(line, "perplexity", Perplexity);
        Add(line, "used_share", UsedShare);
        Add(line, "grad_norm", GradientNorm);
        Add(line, "learning_rate", LearningRate);
        Add(line, "eval_loss", ValidationLoss);
        Add(line, "eval_pixel_error", ValidationPixelError);
        Add(line, "eval_perplexity", ValidationPerplexity);
        Add(line, "eval_used_share", ValidationUsedShare);
        Add(line, "images_per_second", Math.Round(ImagesPerSecond, 1));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { ImagesPerSecond = amountPerSecond };

    static DiscreteVaeProgress ITrainingReport<DiscreteVaeProgress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Epoch = line["epoch"]!.GetValue<double>(),
        ReconstructionLoss = line["reconstruction_loss"]?.GetValue<double>(),
        ValidationLoss = line["eval_loss"]?.GetValue<double>(),
    };
}
