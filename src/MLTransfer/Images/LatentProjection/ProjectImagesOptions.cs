using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Training.LatentProjection;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>How pictures are projected into the latent space of an image generator.</summary>
public sealed class ProjectImagesOptions
{
    /// <summary>
    /// The generator: <see cref="PretrainedModels.Shapes"/>, a folder with <c>config.json</c>, <c>generator.safetensors</c> and
    /// <c>discriminator.safetensors</c>, or a model zip with an image generator.
    /// </summary>
    public string PretrainedModel = PretrainedModels.Shapes;

    /// <summary>
    /// A loaded model or chain with the generator, in place of <see cref="PretrainedModel"/>; null for that. It stays as it is: its weights
    /// are copied.
    /// </summary>
    public ITransformer? BaseModel;

    /// <summary>Space, steps, step sizes and weights. Its seed stays as it is: <see cref="Seed"/> decides.</summary>
    public ProjectionOptions Projection = new();

    /// <summary>
    /// The network whose features tell how pictures look, computed by libtorch, since its gradient is followed. Null for pixels alone.
    /// Stays the caller's. Of these a <see cref="TorchScriptFeatureExtractor"/> alone can be saved with the transformer.
    /// </summary>
    public IImageFeatureExtractor? FeatureExtractor;

    /// <summary>Decides on noise and what else is drawn; null for the seed of the <see cref="MLContext"/>.</summary>
    public long? Seed;

    /// <summary>Pictures that are projected together. Nothing of a picture depends on those beside it, but for rounding.</summary>
    public int ProjectionBatchSize = 4;

    /// <summary>Told after every step of every batch, on the thread that reads the rows; null for nobody.</summary>
    public IProgress<ProjectionProgress>? Progress;

    /// <summary>Stops a projection that is under way; a model that was saved and loaded has none.</summary>
    public CancellationToken CancellationToken;

    /// <exception cref="ArgumentException">An option is not usable; the message names it.</exception>
    internal void Check()
    {
        if (string.IsNullOrWhiteSpace(PretrainedModel))
        {
            throw new ArgumentException(
                $"{nameof(PretrainedModel)} must be a folder, a model zip or {nameof(PretrainedModels)}.{nameof(PretrainedModels.Shapes)}.",
                nameof(PretrainedModel));
        }

        if (BaseModel is not null && PretrainedModel != PretrainedModels.Shapes)
        {
            throw new ArgumentException(
                $"Pictures are projected into one model: give a loaded one in {nameof(BaseModel)} or the name of one in "
                + $"{nameof(PretrainedModel)}, not both.", nameof(BaseModel));
        }

        if (Projection is null)
            throw new ArgumentException($"{nameof(Projection)} is null.", nameof(Projection));
        if (Projection.Seed != new ProjectionOptions().Seed)
        {
            throw new ArgumentException(
                $"{nameof(Projection)}.Seed is {Projection.Seed}, but the option {nameof(Seed)} of {nameof(ProjectImagesOptions)} decides: "
                + "set that one.", nameof(Projection));
        }

        StyleGan2Projector.Check(Projection, FeatureExtractor);
        OptionCheck.AtLeast(nameof(ProjectionBatchSize), ProjectionBatchSize, 1);
        OptionCheck.AtMost(nameof(ProjectionBatchSize), ProjectionBatchSize, 1 << 16, "the largest batch");
    }
}
