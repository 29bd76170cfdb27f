using MLTransfer.Onnx.Reading;
using MLTransfer.Onnx.Tests.Reading;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Tests;

[Collection(ProcessWideState.Name)]
public sealed class OnnxTextImageModelTests : IDisposable
{
    private static readonly string[] s_captions = ["red", "dark blue", "green green red"];
    private static readonly double[] s_means = [0.5, 0.25, 0.5];
    private static readonly double[] s_deviations = [0.5, 0.5, 0.25];

    private readonly TemporaryFolder _folder = new();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _pictures = Pictures(TinyTextImageModel.Side, TinyTextImageModel.Side);

    public OnnxTextImageModelTests() => TinyTextImageModel.WriteFiles(_folder.Path);

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, null)]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    public void Scores_are_the_cosines_of_what_the_graph_gives_pictures_and_captions(bool isOneGraph, int? batch)
    {
        if (isOneGraph)
        {
            TinyTextImageModel.Write(_folder["model.onnx"], batch: batch);
        }
        else
        {
            TinyTextImageModel.Write(_folder["onnx/vision_model.onnx"], texts: false, batch: batch);
            TinyTextImageModel.Write(_folder["onnx/text_model.onnx"], images: false, batch: batch);
        }

        using var model = new OnnxTextImageModel(_folder.Path);
        var found = model.Score(s_captions, _pictures);

        var expected = Enumerable.Range(0, 3).Select(row => Cosine(Words(s_captions[row], 0), Embedding(row))).ToList();
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second.Cosine, 1e-6));
        Assert.True(expected.Min() < -0.1 && expected.Max() > 0.1); // both sides of 0
        Assert.All(found, score => Assert.Equal(Math.Max(0, 100 * score.Cosine), score.Score));
        Assert.All(found, score => Assert.Equal(Math.Max(0, 2.5 * score.Cosine), score.WeightedScore));
        var features = model.Extract(_pictures);
        Assert.Equal([3L, 3], features.shape);
        Assert.All(Enumerable.Range(0, 9), i => Assert.Equal(Embedding(i / 3)[i % 3], features[i / 3, i % 3].item<float>(), 1e-5));
    }

    [Fact]
    public void Without_a_mask_texts_are_padded_to_the_length_that_the_model_was_trained_with()
    {
        TinyTextImageModel.Write(_folder["model.onnx"], masked: false);

        using var model = new OnnxTextImageModel(_folder["model.onnx"]);
        using var longer = new OnnxTextImageModel(_folder.Path, textLength: 9);

        // [CLS] and [SEP] are two of six.
        Assert.All(Enumerable.Range(0, 3), row => Assert.Equal(
            Cosine(Words(s_captions[row], 4 - s_captions[row].Split(' ').Length), Embedding(row)),
            model.Score(s_captions, _pictures)[row].Cosine, 1e-6));
        Assert.Equal(Cosine(Words("red", 6), Embedding(0)), longer.Score(s_captions, _pictures)[0].Cosine, 1e-6);
        // A caption that is too long is cut.
        Assert.Equal(
            Cosine(Words("red red blue blue", 0), Embedding(0)),
            model.Score(["red red blue blue green"], _pictures.narrow(0, 0, 1))[0].Cosine, 1e-6);
    }

    [Fact]
    public void Pictures_of_another_size_are_resized_and_cut_to_their_middle()
    {
        TinyTextImageModel.Write(_folder["model.onnx"]);
        using var model = new OnnxTextImageModel(_folder.Path);
        // 16 rows and 32 columns become 8 and 16, of which columns 4 to 11 stay: what was in columns 8 to 23, and fades in beside them.
        var picture = full([1, 3, 16, 32], -1f);
        picture.narrow(3, 8, 16).fill_(1);

        var features = model.Extract(picture);

        for (var channel = 0; channel < 3; channel++)
            Assert.InRange(features[0, channel].item<float>(), 0.9 * White(channel), White(channel));

        static double White(int channel) => (1 - s_means[channel]) / s_deviations[channel];
    }

    [Fact]
    public void A_model_that_does_not_fit_is_refused_by_name()
    {
        AssertRefused<FileNotFoundException>(() => { }, [], "model.onnx", "vision_model.onnx");
        AssertRefused<NotSupportedException>(
            () => TinyTextImageModel.Write(_folder["model.onnx"], texts: false), [], "model.onnx", "token ids");
        AssertRefused<NotSupportedException>(
            () => TinyTextImageModel.Write(_folder["model.onnx"], change: graph =>
                graph.Input[0].Type.TensorType.Shape.Dim[1].DimValue = 4), [], "'picture'", "pixels [batch, 3, height, width]");
        AssertRefused<NotSupportedException>(
            () => TinyTextImageModel.Write(_folder["model.onnx"], batch: 4), [], "model.onnx", "4 rows at a time");
        AssertRefused<InvalidDataException>(
            () => TinyTextImageModel.Write(_folder["model.onnx"], change: graph =>
                graph.Input[0].Type.TensorType.Shape.Dim[3] = new() { DimValue = 16 }), [], "16 columns", "preprocessor_config.json", "8");
        AssertRefused<ArgumentException>(
            () => TinyTextImageModel.Write(_folder["model.onnx"]), ["logits"], "'logits'", "'image_embeds', 'text_embeds'", "imageOutput");
        AssertRefused<InvalidDataException>(() => File.WriteAllText(_folder["model.onnx"], "no graph"), [], "model.onnx");
        TinyTextImageModel.WriteFiles(_folder.Path, maximumLength: null);
        AssertRefused<ArgumentException>(() => TinyTextImageModel.Write(_folder["model.onnx"]), [], "model_max_length", "textLength");
        TinyTextImageModel.WriteFiles(_folder.Path);
        File.Delete(_folder["preprocessor_config.json"]);
        AssertRefused<FileNotFoundException>(() => { }, [], "preprocessor_config.json");
    }

    [Fact]
    public void Pictures_and_captions_that_do_not_fit_are_refused_with_their_numbers()
    {
        TinyTextImageModel.Write(_folder["model.onnx"]);
        using var model = new OnnxTextImageModel(_folder.Path);

        Assert.Contains("2 captions for 3", Assert.Throws<ArgumentException>(() => model.Score(["red", "blue"], _pictures)).Message);
        Assert.Contains("[3, 1, 8, 8]", Assert.Throws<ArgumentException>(() => model.Extract(_pictures.narrow(1, 0, 1))).Message);
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.Extract(_pictures));
    }

    private void AssertRefused<T>(Action write, string?[] outputs, params string[] parts)
        where T : Exception
    {
        write();
        var message = Assert.Throws<T>(() => new OnnxTextImageModel(_folder.Path, outputs.FirstOrDefault())).Message;
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    /// <summary>Three pictures of bytes: [3, 3, height, width], -1 for black and 1 for white.</summary>
    private static Tensor Pictures(int height, int width)
    {
        var pixels = new float[3 * 3 * height * width];
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (i * 37 % 256 * (1 + i / (height * width)) / 9) / 127.5f - 1;
        return tensor(pixels, [3, 3, height, width]);
    }

    private double[] Embedding(int row) => [.. Enumerable.Range(0, 3).Select(channel =>
        ((_pictures[row, channel].mean().item<float>() + 1) / 2 - s_means[channel]) / s_deviations[channel])];

    private static double[] Words(string text, int paddings) => [.. Enumerable.Range(0, 3).Select(channel =>
        text.Split(' ').Sum(word => TinyTextImageModel.Colour(word)[channel]) + paddings * TinyTextImageModel.Colour("[PAD]")[channel])];

    private static double Cosine(double[] a, double[] b) =>
        a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(x => x * x));
}
