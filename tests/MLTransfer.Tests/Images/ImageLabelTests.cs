using MLTransfer.Tests.Networks;
using MLTransfer.Tests.Persistence;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Image;
using Xunit;

namespace MLTransfer.Tests.Images;

/// <summary>Pictures that a conditional model makes from labels alone.</summary>
public sealed class ImageLabelTests : IDisposable
{
    private static readonly string[] s_classes = ["red", "green", "blue", "red", "red", "green", "blue"];

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly string _conditional;

    public ImageLabelTests() => _conditional = TinyGenerator.Save(_folder, classes: 3);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_row_has_a_picture_of_its_own_which_is_the_same_each_time()
    {
        var rows = Rows(s_classes);
        using var model = Pretrained(rows);
        var view = model.Transform(rows);

        var expected = TinyGenerator.Pixels(view);

        Assert.Equal(s_classes.Length, expected.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(expected, TinyGenerator.Pixels(view));
        using var again = Pretrained(rows);
        Assert.Equal(expected, TinyGenerator.Pixels(again.Transform(rows)));
        using var large = Pretrained(rows, o => o.GenerationBatchSize = 5);
        AssertClose(expected, TinyGenerator.Pixels(large.Transform(rows)));
        Parallel.For(0, 4, _ => Assert.Equal(expected, TinyGenerator.Pixels(view)));
    }

    [Fact]
    public void A_row_keeps_its_picture_when_others_are_left_out_or_the_order_is_another()
    {
        var rows = Rows(s_classes);
        using var model = Pretrained(rows);
        var expected = TinyGenerator.Pixels(model.Transform(rows));

        var last = TinyGenerator.Pixels(model.Transform(_ml.Data.SkipRows(rows, 4)));
        var shuffled = model.Transform(_ml.Data.ShuffleRows(rows, seed: 3));

        AssertClose(expected[4..], last);
        var order = shuffled.GetColumn<long>(nameof(ClassRow.Number)).ToList();
        Assert.NotEqual(order.Order(), order);
        AssertClose([.. order.Select(number => expected[(int)number])], TinyGenerator.Pixels(shuffled));
    }

    [Fact]
    public void Label_and_seed_both_decide()
    {
        var rows = Rows("red", "green");
        using var model = Pretrained(rows);
        using var other = Pretrained(rows, o => o.Seed = 8);
        using var ofContext = new MLContext(seed: 8).Transforms.GenerateImages("Picture", null, _conditional, Options()).Fit(rows);

        var pictures = TinyGenerator.Pixels(model.Transform(rows));
        var exchanged = TinyGenerator.Pixels(model.Transform(Rows("green", "red")));

        Assert.All(pictures.Zip(exchanged), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.All(pictures.Zip(TinyGenerator.Pixels(other.Transform(rows))), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.Equal(TinyGenerator.Pixels(other.Transform(rows)), TinyGenerator.Pixels(ofContext.Transform(rows)));
        Assert.Equal((1, 8, 8), (model.Seed, other.Seed, ofContext.Seed));
    }

    [Fact]
    public void A_fine_tuned_model_saves_loads_and_predicts_from_a_label_alone()
    {
        var drawings = Drawings.Make(12);
        var data = _ml.Data.LoadFromEnumerable(
            drawings.Select((drawing, index) => new ClassRow { Image = drawing.Image, Opening = s_classes[index % 3] }));
        var options = TinyGenerator.Options(_conditional, o => o.LabelColumnName = "Key");
        var model = _ml.Transforms.Conversion.MapValueToKey("Key", nameof(ClassRow.Opening))
            .Append(_ml.Transforms.FineTuneImageGenerator("Picture", null, "Image", options)).Fit(data);
        using var painter = model.LastTransformer;
        var expected = TinyGenerator.Pixels(model.Transform(Rows(s_classes)));
        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);

        var loaded = new MLContext(99).Model.Load(_folder["model.zip"], out _);
        using var loadedPainter = (ImageGeneratorTransformer)((IEnumerable<ITransformer>)loaded).Last();
        using var engine = new MLContext(99).Model.CreatePredictionEngine<ClassRow, PictureRow>(loaded);

        Assert.Equal(s_classes.Length, expected.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(expected, TinyGenerator.Pixels(loaded.Transform(Rows(s_classes))));
        Assert.Equal(5, loadedPainter.Seed);
        AssertClose(expected, [.. s_classes.Select(name => engine.Predict(new ClassRow { Opening = name }).Picture!.Pixels.ToArray())]);
    }

    [Fact]
    public async Task Another_process_that_calls_only_ML_NET_makes_the_same_pictures_from_labels()
    {
        var rows = Rows(s_classes);
        var model = _ml.Transforms.Conversion.MapValueToKey("Key", nameof(ClassRow.Opening))
            .Append(_ml.Transforms.GenerateImages("Picture", null, _conditional, Options(o => o.LabelColumnName = "Key"))).Fit(rows);
        using var painter = model.LastTransformer;
        _ml.Model.Save(model, rows.Schema, _folder["model.zip"]);

        var found = await LoadingProcess.RunForPicturesAsync(_folder["model.zip"], "Picture", s_classes);

        AssertClose(TinyGenerator.Pixels(model.Transform(rows)), found);
    }

    [Fact]
    public void The_exported_file_takes_latent_vector_and_label()
    {
        var rows = Rows(s_classes);
        using var model = Pretrained(rows);

        Assert.InRange(Assert.Single(_ml.Generation.ExportToOnnx(model, _folder["conditional.onnx"])).LargestDifference!.Value, 0, 1e-3);

        using var session = new InferenceSession(_folder["conditional.onnx"]);
        Assert.Equal(["labels", "psi", "z"], session.InputNames.Order());
    }

    [Fact]
    public void A_model_without_labels_makes_no_pictures_of_them_and_is_refused_before_a_row_is_read()
    {
        var rows = new CountingDataView(Rows(s_classes));
        var unconditional = TinyGenerator.Save(_folder);

        var message = Assert.Throws<ArgumentException>(
            () => _ml.Transforms.GenerateImages("Picture", null, unconditional, Options()).Fit(rows)).Message;

        Assert.All(
            (string[])["takes no labels", "LabelColumnName", "'Label'", "inputColumnName"],
            part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.Equal(0, rows.RowsRead);
    }

    [Fact]
    public void Neither_an_input_nor_a_label_column_is_refused_when_the_estimator_is_made()
    {
        var messages = (string[])
        [
            Assert.Throws<ArgumentException>(() => _ml.Transforms.GenerateImages("Picture", null, _conditional)).Message,
            Assert.Throws<ArgumentException>(
                () => _ml.Transforms.FineTuneImageGenerator("Picture", null, "Image", TinyGenerator.Options(_conditional))).Message,
        ];

        Assert.All(messages, message => Assert.Contains("inputColumnName", message, StringComparison.Ordinal));
        Assert.All(messages, message => Assert.Contains("LabelColumnName", message, StringComparison.Ordinal));
        Assert.Contains("blank",
            Assert.Throws<ArgumentException>(() => _ml.Transforms.GenerateImages("Picture", " ", _conditional)).Message,
            StringComparison.Ordinal);
    }

    private static GenerateImagesOptions Options(Action<GenerateImagesOptions>? change = null)
    {
        var options = new GenerateImagesOptions { LabelColumnName = nameof(ClassRow.Label), GenerationBatchSize = 3 };
        change?.Invoke(options);
        return options;
    }

    private static void AssertClose(List<byte[]> expected, List<byte[]> found)
    {
        Assert.Equal(expected.Count, found.Count);
        Assert.All(expected.Zip(found), pair => Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 1));
    }

    private ImageGeneratorTransformer Pretrained(IDataView rows, Action<GenerateImagesOptions>? change = null) =>
        _ml.Transforms.GenerateImages("Picture", null, _conditional, Options(change)).Fit(rows);

    private IDataView Rows(params string[] classes) => _ml.Data.LoadFromEnumerable(classes.Select((name, index) => new ClassRow
    {
        Number = index, Opening = name, Label = [.. ((string[])["red", "green", "blue"]).Select(other => other == name ? 1f : 0)],
    }));

    private sealed class ClassRow
    {
        public long Number { get; set; }

        /// <summary>Called as the column of the loading process is.</summary>
        public string Opening { get; set; } = "";

        [VectorType(3)]
        public float[] Label { get; set; } = new float[3];

        [ImageType(Drawings.Size, Drawings.Size)]
        public MLImage? Image { get; set; }
    }
}
