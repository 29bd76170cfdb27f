using System.Text.Json.Serialization;
using MLTransfer.Columns;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Images;

/// <summary>The columns that a network which writes codes of pictures reads and makes; part of a saved model.</summary>
/// <param name="Output">The column of pictures that are made.</param>
/// <param name="Input">The column of captions, or of pictures that are completed or varied; null for none.</param>
/// <param name="Caption">Captions where the input is not them; null for none.</param>
/// <param name="Seed">Seeds; null where the row's id decides.</param>
internal sealed record TextToImageColumns(string Output, string? Input, string? Caption, string? Seed)
{
    [JsonIgnore]
    public ColumnRole? InputRole => Input is null ? null
        : new("input", Input, ColumnKind.Text | ColumnKind.Image, "text, or an image that is completed or varied");

    [JsonIgnore]
    public ColumnRole? CaptionRole => Caption is null ? null : ColumnRole.Text("caption", Caption);

    [JsonIgnore]
    public ColumnRole? SeedRole => Seed is null ? null : new("seed", Seed, ColumnKind.Number, "a number");

    public static TextToImageColumns Create(string output, string? input, GenerateImagesOptions options) =>
        new(output, input, options.CaptionColumnName, options.SeedColumnName);

    /// <summary>The columns that a transformer reads.</summary>
    [JsonIgnore]
    public IEnumerable<ColumnRole> Roles => new[] { InputRole, CaptionRole, SeedRole }.OfType<ColumnRole>();

    /// <summary>The columns that fitting reads. Seeds are for generation alone; so is the input where captions have a column of their
    /// own.</summary>
    public IEnumerable<ColumnRole> RolesWith(string trainingColumn) => new[]
    {
        ImageGeneratorColumns.TrainingRole(trainingColumn),
        InputRole is { } input ? input with { IsOptional = Caption is not null } : null,
        CaptionRole,
        SeedRole is { } seed ? seed with { IsOptional = true } : null,
    }.OfType<ColumnRole>();

    /// <exception cref="ArgumentException">There is neither an input column nor one of captions.</exception>
    public void CheckInput()
    {
        if (Input is null && Caption is null)
        {
            throw new ArgumentException(
                "There is no column that pictures are made from: name one of captions or of images as inputColumnName, or one of captions "
                + $"in {nameof(GenerateImagesOptions.CaptionColumnName)}.");
        }
    }

    /// <summary>The column of pictures.</summary>
    /// <param name="side">Their height and width; 0 where it is not known yet.</param>
    public OutputColumn OutputOf(int side) => new(Output, side == 0 ? new ImageDataViewType() : new ImageDataViewType(side, side));

    /// <summary>The columns that pictures are made from.</summary>
    /// <exception cref="ArgumentException">A column is missing, or is none that the model reads.</exception>
    public TextToImageInputs FindInputs(DataViewSchema schema, TextToImageKind network)
    {
        var input = InputRole?.Find(schema);
        var isImage = input?.Type is ImageDataViewType;
        var text = CaptionRole?.Find(schema) ?? (isImage ? null : input);
        CheckTokenizer(text, network);
        if (isImage)
        {
            CheckSize(InputRole!, input!.Value, network);
            CheckEncoder(input.Value, network);
        }

        return new(text, isImage ? input : null, SeedRole?.Find(schema));
    }

    /// <summary>The columns that training reads: pictures, and captions where there are such.</summary>
    /// <exception cref="ArgumentException">A column is missing, or is none that the model learns from.</exception>
    public (DataViewSchema.Column Image, DataViewSchema.Column? Text) FindTraining(
        DataViewSchema schema, string trainingColumn, TextToImageKind network)
    {
        var role = ImageGeneratorColumns.TrainingRole(trainingColumn);
        var image = role.Find(schema);
        CheckSize(role, image, network);
        CheckEncoder(image, network);
        var text = CaptionRole?.Find(schema)
            ?? (InputRole?.Find(schema) is { } input && input.Type is TextDataViewType ? input : null);
        CheckTokenizer(text, network);
        return (image, text);
    }

    private static void CheckTokenizer(DataViewSchema.Column? text, TextToImageKind network)
    {
        if (text is { } column && !network.HasTokenizer)
        {
            throw new ArgumentException(
                $"The column '{column.Name}' has captions, but the folder of the {network.Name} has no tokenizer (tokenizer.json, or "
                + "vocab.json and merges.txt). Put that of its captions there.");
        }
    }

    private static void CheckSize(ColumnRole role, DataViewSchema.Column column, TextToImageKind network)
    {
        var (image, side) = ((ImageDataViewType)column.Type, network.Side);
        if ((image.Height > 0 && image.Height != side) || (image.Width > 0 && image.Width != side))
        {
            throw role.OfAnotherShape(
                $"the model's pictures have {side} rows and {side} columns",
                $"images of {image.Height} rows and {image.Width} columns. Put ResizeImages in front");
        }
    }

    private static void CheckEncoder(DataViewSchema.Column column, TextToImageKind network)
    {
        if (network.WhyNoEncoder is { } reason)
        {
            throw new ArgumentException(
                $"The column '{column.Name}' has images, but the codec of the {network.Name} has no encoder: {reason}");
        }
    }
}
