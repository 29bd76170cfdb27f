using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>How an image generator makes pictures.</summary>
public class GenerateImagesOptions
{
    /// <summary>
    /// psi: how far styles keep from their mean. 1 for as far as they were drawn; less gives more typical pictures and less variety (arXiv
    /// 1812.04948, appendix B). Values other than 1 need a model with <c>w_avg</c>.
    /// </summary>
    public double Truncation = 1;

    /// <summary>
    /// The per-pixel noise: <see cref="NoiseMode.Constant"/>, the maps that belong to the model, or <see cref="NoiseMode.None"/>.
    /// </summary>
    public NoiseMode Noise = NoiseMode.Constant;

    /// <summary>
    /// What vectors of the input column are: z, w or W+, a style for each layer. Null: what <c>ProjectImages</c> made is what it says;
    /// other vectors are W+ where they are as long as all styles of a picture together, else z. With w and W+ a conditional model takes no
    /// label; say so here, since it is asked for one otherwise.
    /// </summary>
    public LatentSpace? LatentSpace;

    /// <summary>
    /// The column with what a conditional model is to show, and learns to: a key with as many values as the model has classes, or a vector
    /// of Single of its label width. Null for models without labels. Where there is no input column, pictures are made from the labels
    /// alone: see <see cref="Seed"/>.
    /// </summary>
    public string? LabelColumnName;

    /// <summary>
    /// Where pictures are made from labels alone, decides with the id of a row (<c>DataViewRow.GetIdGetter</c>) on its latent vector, so
    /// that a row keeps its picture. Null for the seed of the <see cref="MLContext"/>.
    /// </summary>
    public long? Seed;

    /// <summary>Pictures that are made together.</summary>
    public int GenerationBatchSize = 16;

    /// <exception cref="ArgumentException">An option is not usable.</exception>
    internal virtual void Check()
    {
        if (!(Truncation >= 0 && double.IsFinite(Truncation)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(Truncation), Truncation, $"{nameof(Truncation)} must be a finite number that is not negative.");
        }
        if (Noise is not (NoiseMode.Constant or NoiseMode.None))
        {
            throw new ArgumentOutOfRangeException(nameof(Noise), Noise,
                $"{nameof(Noise)} must be {NoiseMode.Constant} or {NoiseMode.None}: the same row gives the same picture every time.");
        }

        if (LatentSpace is { } space)
            OptionCheck.Defined(nameof(LatentSpace), space);
        OptionCheck.ColumnName(nameof(LabelColumnName), LabelColumnName);
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        OptionCheck.AtMost(nameof(GenerationBatchSize), GenerationBatchSize, 1 << 16, "the largest batch");
    }

    /// <exception cref="ArgumentException">An option does not fit the model.</exception>
    internal void CheckFor(StyleGan2Generator generator)
    {
        if (Truncation != 1 && generator.Mapping.Average is null)
        {
            throw new ArgumentException(
                $"{nameof(Truncation)} is {Truncation}, which needs the mean style w_avg; the model has none. Leave it at 1.");
        }
    }
}
