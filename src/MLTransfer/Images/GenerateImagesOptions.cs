using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>How an image generator makes pictures.</summary>
public class GenerateImagesOptions
{
    private const int MostWritten = 4096;

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
    /// How a network that writes codes of pictures (DALL-E, DALL-E mini) draws them; null for the defaults of the class. Its seed and its
    /// batch size stay as they are: <see cref="Seed"/> and <see cref="GenerationBatchSize"/> decide.
    /// </summary>
    public ImageGenerationOptions? TextToImage;

    /// <summary>
    /// The text column of captions of a network that writes codes of pictures, where the input column is not it: beside images that are
    /// completed or varied, or in training. A caption that is missing or blank says nothing. Null for none but the input column.
    /// </summary>
    public string? CaptionColumnName;

    /// <summary>
    /// The column of whole numbers that decide what such a network draws for each row; null to have <see cref="Seed"/> and the id of the
    /// row decide.
    /// </summary>
    public string? SeedColumnName;

    /// <summary>
    /// A folder with the whole codec (VQGAN: <c>last.ckpt</c> and <c>model.yaml</c>) of a DALL-E mini, whose checkpoint has the decoder
    /// alone: training, and images as input, need the encoder. Null for none.
    /// </summary>
    public string? CodecFolder;

    /// <summary>
    /// Where pictures are made from labels alone, decides with the id of a row (<c>DataViewRow.GetIdGetter</c>) on its latent vector, so
    /// that a row keeps its picture; likewise on what a network that writes codes draws. Null for the seed of the <see cref="MLContext"/>.
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

        TextToImage?.Check();
        if (TextToImage?.Seed is { } seed)
        {
            throw new ArgumentException(
                $"{nameof(TextToImage)}.Seed is {seed}, but the own option {nameof(Seed)} decides: set that one.", nameof(TextToImage));
        }

        if (TextToImage is { } drawing && drawing.BatchSize != new ImageGenerationOptions().BatchSize)
        {
            throw new ArgumentException(
                $"{nameof(TextToImage)}.{nameof(drawing.BatchSize)} is {drawing.BatchSize}, but the own option "
                + $"{nameof(GenerationBatchSize)} decides: set that one.", nameof(TextToImage));
        }

        OptionCheck.ColumnName(nameof(CaptionColumnName), CaptionColumnName);
        OptionCheck.ColumnName(nameof(SeedColumnName), SeedColumnName);
        if (LatentSpace is { } space)
            OptionCheck.Defined(nameof(LatentSpace), space);
        OptionCheck.ColumnName(nameof(LabelColumnName), LabelColumnName);
        OptionCheck.AtLeast(nameof(GenerationBatchSize), GenerationBatchSize, 1);
        OptionCheck.AtMost(nameof(GenerationBatchSize), GenerationBatchSize, 1 << 16, "the largest batch");
    }

    /// <exception cref="ArgumentException">An option does not fit the model.</exception>
    internal virtual void CheckFor(TextToImageModel network, TextTokenizer? tokenizer)
    {
        Refuse(Truncation != 1, nameof(Truncation));
        Refuse(Noise != NoiseMode.Constant, nameof(Noise));
        Refuse(LabelColumnName is not null, nameof(LabelColumnName));
        Refuse(LatentSpace is not null, nameof(LatentSpace));
        CheckWritten(GenerationBatchSize, network.GetName());

        void Refuse(bool isSet, string option)
        {
            if (isSet)
                throw new ArgumentException($"{option} is for a StyleGAN2; the model is a {network.GetName()}. Leave it out.", option);
        }
    }

    /// <exception cref="ArgumentException">So many pictures are not written together.</exception>
    internal static void CheckWritten(int generationBatchSize, string network) =>
        OptionCheck.AtMost(nameof(GenerationBatchSize), generationBatchSize, MostWritten, $"the largest batch of a {network}");

    /// <exception cref="ArgumentException">An option does not fit the model.</exception>
    internal virtual void CheckFor(StyleGan2Generator generator)
    {
        RefuseForStyleGan2(TextToImage is not null, nameof(TextToImage));
        RefuseForStyleGan2(CaptionColumnName is not null, nameof(CaptionColumnName));
        RefuseForStyleGan2(SeedColumnName is not null, nameof(SeedColumnName));
        RefuseForStyleGan2(CodecFolder is not null, nameof(CodecFolder));
        if (Truncation != 1 && generator.Mapping.Average is null)
        {
            throw new ArgumentException(
                $"{nameof(Truncation)} is {Truncation}, which needs the mean style w_avg; the model has none. Leave it at 1.");
        }
    }

    private protected static void RefuseForStyleGan2(bool isSet, string option)
    {
        if (isSet)
        {
            throw new ArgumentException(
                $"{option} is for a network that writes codes of pictures; the model is a StyleGAN2. Leave it out.", option);
        }
    }
}
