using MLTransfer.Onnx.Reading.TextImage;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Tokenization;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Reading;

/// <summary>
/// An image-text model such as CLIP (arXiv 2103.00020) or SigLIP in ONNX, which embeds pictures and texts in one space: it tells how well a
/// picture fits its caption, and its image embeddings serve as features.
/// </summary>
/// <remarks>
/// Read is a folder as Optimum writes it: <c>model.onnx</c>, or <c>vision_model.onnx</c> and <c>text_model.onnx</c>, in it or in its folder
/// <c>onnx</c>; <c>preprocessor_config.json</c>; the files of a tokenizer. Inputs are found by type and shape. Where the graph takes no
/// attention mask, texts are padded to the longest text that the model takes, as such models were trained. It is computed on the processor.
/// </remarks>
public sealed class OnnxTextImageModel : IImageFeatureExtractor, IDisposable
{
    private const int Channels = 3;
    private static readonly string[] s_places = ["", "onnx"];

    private readonly UseCount _uses = new();
    private readonly EmbeddingGraph _images;
    private readonly EmbeddingGraph _texts; // the same object where one graph has both
    private readonly string _imageOutput;
    private readonly string _textOutput;
    private readonly TextTokenizer _tokenizer;
    private readonly ImagePreprocessing _preprocessing;
    private readonly EncodingOptions _encoding;

    /// <summary>Loads the model.</summary>
    /// <param name="path">The folder, or the file of a graph that embeds both, beside or in a folder below the other files.</param>
    /// <param name="imageOutput">The output with the embeddings of pictures, [N, width]; null for the one with <c>image_embed</c> in its
    /// name.</param>
    /// <param name="textOutput">The output with the embeddings of texts; null for the one with <c>text_embed</c> in its name.</param>
    /// <param name="textLength">The most tokens of a text; longer ones are cut. Null for what the graph fixes, else for the tokenizer's
    /// <c>model_max_length</c>.</param>
    /// <exception cref="ArgumentException">An output cannot be found, or the length of texts is not known or another than the
    /// graph's.</exception>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is malformed, or the files do not fit each other.</exception>
    /// <exception cref="NotSupportedException">A file asks for what is not supported; the message names it.</exception>
    public OnnxTextImageModel(string path, string? imageOutput = null, string? textOutput = null, int? textLength = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (textLength is { } length)
            ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(textLength));
        var (images, texts, folder) = FindFiles(path);
        _preprocessing = ImagePreprocessing.Read(folder);
        _tokenizer = TextTokenizer.Load(folder);
        _images = new EmbeddingGraph(images);
        _texts = _images;
        try
        {
            if (texts != images)
                _texts = new EmbeddingGraph(texts);
            if (!_images.TakesPixels || !_texts.TakesTexts || (texts != images && (_images.TakesTexts || _texts.TakesPixels)))
            {
                throw new NotSupportedException(
                    $"'{images}' and '{texts}' do not embed pictures and texts: token ids and pixels are expected as inputs.");
            }

            _imageOutput = _images.FindOutput(imageOutput, "image_embed", nameof(imageOutput));
            _textOutput = _texts.FindOutput(textOutput, "text_embed", nameof(textOutput));
            CheckSize();
            _encoding = Encoding(textLength);
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>Tells how well pictures fit their captions.</summary>
    /// <param name="captions">One for each picture.</param>
    /// <param name="images">[N, 3, height, width], -1 for black and 1 for white; what lies beyond is cut off. Pixels are rounded to bytes,
    /// as the model's own program reads them.</param>
    /// <exception cref="ArgumentException">There are more or fewer captions than pictures, pictures have another shape, or an embedding is
    /// not finite.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime cannot compute the pictures or texts.</exception>
    public IReadOnlyList<TextImageScore> Score(IReadOnlyList<string> captions, Tensor images)
    {
        var (texts, pictures) = Embed(captions, images);
        return [.. texts.Zip(pictures, (text, picture) => TextImageScore.Of(text, picture))];
    }

    /// <inheritdoc/>
    public Tensor Extract(Tensor images)
    {
        Check(images);
        using var hold = _uses.Begin(GetType());
        var count = (int)images.shape[0];
        var rows = EmbedImages(Preprocess(images), _images.TakesTexts ? Encode(Enumerable.Repeat("", count).ToArray()) : null);
        return tensor(rows.SelectMany(row => row).ToArray(), [count, rows[0].Length]);
    }

    /// <summary>Frees the graphs, as soon as no call uses them.</summary>
    public void Dispose() => _uses.Dispose(Free);

    /// <summary>The embeddings of captions and pictures, and so also of scores that need both.</summary>
    internal (float[][] Texts, float[][] Images) Embed(IReadOnlyList<string> captions, Tensor images)
    {
        ArgumentNullException.ThrowIfNull(captions);
        Check(images);
        if (captions.Count != images.shape[0])
            throw new ArgumentException($"There are {captions.Count} captions for {images.shape[0]} pictures.", nameof(captions));
        using var hold = _uses.Begin(GetType());
        var (pictures, texts) = (Preprocess(images), Encode(captions));
        return _texts == _images
            ? InParts(_images, texts, pictures, _textOutput, _imageOutput) is [var text, var image] ? (text, image) : default
            : (InParts(_texts, texts, null, _textOutput)[0], EmbedImages(pictures, null));
    }

    private float[][] EmbedImages(PictureRows pictures, TokenRows? texts) => InParts(_images, texts, pictures, _imageOutput)[0];

    /// <summary>Row by row where the file takes one at a time.</summary>
    private static List<float[][]> InParts(EmbeddingGraph graph, TokenRows? texts, PictureRows? pictures, params string[] outputs)
    {
        var count = texts?.Count ?? pictures!.Count;
        if (graph.BatchSize is null || count <= 1)
            return graph.Run(texts, pictures, outputs);
        var parts = Enumerable.Range(0, count).Select(row => graph.Run(
            texts is null ? null : new TokenRows(Part(texts.Ids, row, texts.Length), Part(texts.Mask, row, texts.Length), 1, texts.Length),
            pictures is null
                ? null
                : pictures with { Values = Part(pictures.Values, row, pictures.Values.Length / count), Count = 1 },
            outputs)).ToList();
        return [.. outputs.Select((_, i) => parts.Select(part => part[i][0]).ToArray())];

        static T[] Part<T>(T[] values, int row, int length) => values[(row * length)..((row + 1) * length)];
    }

    private PictureRows Preprocess(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (count, height, width) = ((int)images.shape[0], (int)images.shape[2], (int)images.shape[3]);
        var bytes = ((images.detach().cpu().to(ScalarType.Float32).clamp(-1, 1) + 1) * 127.5).round().to(ScalarType.Byte).contiguous();
        var planes = NativeTensor.AsSpan<byte>(bytes);
        var size = Channels * height * width;
        float[]? values = null;
        var (newHeight, newWidth) = (0, 0);
        for (var i = 0; i < count; i++)
        {
            (var picture, newHeight, newWidth) = _preprocessing.Apply(planes.Slice(i * size, size).ToArray(), height, width);
            values ??= new float[checked(count * picture.Length)];
            picture.CopyTo(values, i * picture.Length);
        }

        return new PictureRows(values!, count, newHeight, newWidth);
    }

    private TokenRows Encode(IReadOnlyList<string> texts)
    {
        var batch = _tokenizer.EncodeBatch(texts, _encoding);
        return new TokenRows(batch.InputIds, batch.AttentionMask, batch.Rows, batch.Length);
    }

    private EncodingOptions Encoding(int? textLength)
    {
        if (textLength is { } wanted && _texts.TextLength is { } extent && wanted != extent)
            throw new ArgumentException($"'{_texts.Location}' takes texts of {extent} tokens, but {nameof(textLength)} is {wanted}.");
        var longest = textLength ?? _texts.TextLength
            ?? (_tokenizer.ModelMaximumLength < int.MaxValue ? _tokenizer.ModelMaximumLength : null);
        if (longest is null)
        {
            throw new ArgumentException(
                $"Neither '{_texts.Location}' nor its tokenizer tells how many tokens of a text there may be (model_max_length): give "
                + $"{nameof(textLength)}.", nameof(textLength));
        }

        // A graph without a mask sees padding as it sees text: all texts get as much as it was trained with.
        var isPadded = _texts.TextLength is not null || !_texts.TakesMask;
        return new EncodingOptions { MaximumLength = longest, PadToLength = isPadded ? longest : null };
    }

    private void CheckSize()
    {
        var (height, width) = _images.PictureSize;
        if (_preprocessing.OutputSize is var (found, foundWidth)
            && ((height is not null && height != found) || (width is not null && width != foundWidth)))
        {
            throw new InvalidDataException(
                $"'{_images.Location}' takes pictures of {height} rows and {width} columns, but {ImagePreprocessing.FileName} makes "
                + $"{found} and {foundWidth}.");
        }
    }

    private static void Check(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.dim() != 4 || images.shape[1] != Channels || images.shape.Contains(0))
        {
            throw new ArgumentException(
                $"Pictures have the shape {TensorShape.Describe(images.shape)}; expected [N, {Channels}, height, width].", nameof(images));
        }
    }

    private static (string Images, string Texts, string Folder) FindFiles(string path)
    {
        if (File.Exists(path))
            return (path, path, FolderOf(Path.GetDirectoryName(Path.GetFullPath(path))!));
        if (!Directory.Exists(path))
            throw new DirectoryNotFoundException($"There is no folder and no file '{path}'.");
        foreach (var place in s_places)
        {
            var (both, images, texts) = (In("model.onnx"), In("vision_model.onnx"), In("text_model.onnx"));
            if (File.Exists(both))
                return (both, both, path);
            if (File.Exists(images) && File.Exists(texts))
                return (images, texts, path);

            string In(string name) => Path.Combine(path, place, name);
        }

        throw new FileNotFoundException(
            $"'{path}' has neither model.onnx nor vision_model.onnx and text_model.onnx, in it or in its folder 'onnx'. Name the "
            + "file.", path);

        static string FolderOf(string folder) =>
            !File.Exists(Path.Combine(folder, ImagePreprocessing.FileName)) && Path.GetDirectoryName(folder) is { } above
            && File.Exists(Path.Combine(above, ImagePreprocessing.FileName)) ? above : folder;
    }

    private void Free()
    {
        _images.Dispose();
        if (_texts != _images)
            _texts.Dispose();
    }
}
