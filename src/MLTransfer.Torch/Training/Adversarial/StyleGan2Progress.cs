using System.Text.Json.Nodes;

namespace MLTransfer.Torch.Training.Adversarial;

/// <summary>The state of a StyleGAN2's training after an update of both networks.</summary>
public sealed record StyleGan2Progress : RunProgress, ITrainingReport<StyleGan2Progress>
{
    /// <summary>Real images shown.</summary>
    public required long Images { get; init; }

    /// <summary>The generator's loss: -ln of the probability that the discriminator takes its images for real.</summary>
    public double? GeneratorLoss { get; init; }

    /// <summary>The discriminator's loss on made and on real images together, without the penalty.</summary>
    public double? DiscriminatorLoss { get; init; }

    /// <summary>The mean squared norm of the logits' gradient by real images, in the updates that have it.</summary>
    public double? GradientPenalty { get; init; }

    /// <summary>The mean path length, in the updates that have it.</summary>
    public double? PathLength { get; init; }

    /// <summary>The mean sign of the logits of real images over the last updates: near 1 the discriminator overfits.</summary>
    public double? RealLogitSign { get; init; }

    /// <summary>The probability of augmentations.</summary>
    public double AugmentationProbability { get; init; }

    /// <summary>The Frechet distance to the real images, where it was measured after this update.</summary>
    public double? FrechetDistance { get; init; }

    /// <summary>The kernel distance to the real images, where it was measured after this update.</summary>
    public double? KernelDistance { get; init; }

    /// <summary>Real images a second, over the run so far.</summary>
    public double ImagesPerSecond { get; init; }

    internal override JsonObject ToJson()
    {
        var line = new JsonObject { ["step"] = Step, ["images"] = Images };
        Add(line, "generator_loss", GeneratorLoss);
        Add(line, "discriminator_loss", DiscriminatorLoss);
        Add(line, "gradient_penalty", GradientPenalty);
        Add(line, "path_length", PathLength);
        Add(line, "real_logit_sign", RealLogitSign);
        Add(line, "augmentation_probability", AugmentationProbability);
        Add(line, "frechet_distance", FrechetDistance);
        Add(line, "kernel_distance", KernelDistance);
        Add(line, "images_per_second", Math.Round(ImagesPerSecond, 1));
        Add(line, "seconds", Math.Round(Elapsed.TotalSeconds, 3));
        return line;
    }

    internal override RunProgress WithSpeed(double amountPerSecond) => this with { ImagesPerSecond = amountPerSecond };

    static StyleGan2Progress ITrainingReport<StyleGan2Progress>.FromJson(JsonNode line) => new()
    {
        Step = line["step"]!.GetValue<int>(),
        Images = line["images"]!.GetValue<long>(),
        GeneratorLoss = line["generator_loss"]?.GetValue<double>(),
        DiscriminatorLoss = line["discriminator_loss"]?.GetValue<double>(),
        FrechetDistance = line["frechet_distance"]?.GetValue<double>(),
    };
}
