using MLTransfer;
using MLTransfer.Columns;
using MLTransfer.Images;
using MLTransfer.Images.Evaluation;
using MLTransfer.Images.Onnx;
using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation.Images;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

[assembly: LoadableClass("Makes pictures of captions with an ONNX export", typeof(OnnxImageGeneratorTransformer),
    typeof(OnnxImageGeneratorTransformer), null, typeof(SignatureLoadModel), "ONNX image generator",
    OnnxImageGeneratorTransformer.LoaderSignature)]

namespace MLTransfer;

/// <summary>
/// Makes a picture for each row with ONNX Runtime: of a caption, or of a picture that is completed or varied, with or without one. libtorch
/// is neither needed nor loaded. Made by <see cref="GenerationCatalog.LoadOnnxImages"/>.
/// </summary>
/// <remarks>
/// Pictures are those of the <see cref="TextToImageTransformer"/> that was exported, but for rounding, where options and seeds are the
/// same. The seed and the id of a row decide on what is drawn for it, in any batch, cursor and thread. A saved model file holds the graphs
/// and their weights as they are, the configurations and the tokenizer's files.
/// </remarks>
public sealed class OnnxImageGeneratorTransformer : ColumnMappingTransformer, IImageOutput, IPictureSource
{
    internal const string LoaderSignature = "OnnxImageGenerator";

    private readonly IDisposable? _folder;
    private readonly TextToImageKind _kind;

    /// <param name="generator">Makes the pictures; disposed with this object.</param>
    /// <param name="folder">Where its files are, to be disposed with this object; null where they belong to someone else.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="options">Checked options, with a seed.</param>
    internal OnnxImageGeneratorTransformer(
        OnnxTextToImageGenerator generator, IDisposable? folder, TextToImageColumns columns, OnnxImageGeneratorOptions options)
        : base(options.GenerationBatchSize) =>
        (Generator, _folder, Columns, Options, _kind) = (generator, folder, columns, options, TextToImageKind.Of(generator));

    /// <summary>Pixels along a picture's side.</summary>
    public int PictureSize => Generator.PictureSize;

    /// <inheritdoc/>
    string IImageOutput.ImageColumn => Columns.Output;

    /// <inheritdoc/>
    int IPictureSource.PictureSide => PictureSize;

    /// <inheritdoc/>
    string IPictureSource.NetworkName => _kind.Name;

    internal OnnxTextToImageGenerator Generator { get; }

    internal TextToImageColumns Columns { get; }

    internal OnnxImageGeneratorOptions Options { get; }

    private protected override IReadOnlyList<OutputColumn> Outputs => [Columns.OutputOf(PictureSize)];

    /// <inheritdoc/>
    IReadOnlyList<MLImage> IPictureSource.MakePictures(
        string? prompt, int count, long? seed, ImageGenerationOptions? options, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return PictureRequests.ToImages(Generator.Generate(
            PictureRequests.Prompts(prompt, count, seed ?? Options.Seed!.Value, _kind), options ?? Options.TextToImage,
            cancellationToken: cancellationToken));
    }

    // Called by ML.NET when it loads a model file.
    internal static OnnxImageGeneratorTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => OnnxImageGeneratorFile.Load(ctx);

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        Columns.FindInputs(schema, _kind).All;

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new WrittenImageBatch(source, Columns.FindInputs(source.Schema, _kind), PictureSize, Options.Seed!.Value, Write);

    private protected override void Save(ModelSaveContext context) => OnnxImageGeneratorFile.Save(context, this);

    private protected override void Free()
    {
        Generator.Dispose();
        _folder?.Dispose();
    }

    private IReadOnlyList<GeneratedImage> Write(IReadOnlyList<ImagePrompt> prompts)
    {
        using var hold = Hold();
        return Generator.Generate(prompts, (Options.TextToImage ?? new()) with { BatchSize = Math.Max(1, prompts.Count) });
    }
}
