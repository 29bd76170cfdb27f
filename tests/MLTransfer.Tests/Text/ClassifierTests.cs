using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.TorchSharp;
using Microsoft.ML.TorchSharp.NasBert.Models;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Training.Language;
using TorchSharp;
using Xunit;

namespace MLTransfer.Tests.Text;

/// <summary>Texts that a tuned model writes train classifiers: ML.NET's own, and that of its package for TorchSharp.</summary>
public sealed class ClassifierTests : IDisposable
{
    private const string Animals = "Of animals:", Planets = "Of planets:";

    /// <summary>What the package looks for before it asks the network.</summary>
    private const string BaseModelFile = "NasBert2000000.tsm";

    private static readonly string[] s_animals = ["fox", "dog", "cat", "horse"], s_planets = ["moon", "sun", "star", "sky"];

    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Texts_that_a_tuned_model_writes_train_a_classifier_of_ML_NET()
    {
        var pipeline = _ml.Transforms.Conversion.MapValueToKey("Label", "Kind").Append(Writer())
            .Append(_ml.Transforms.Text.FeaturizeText("Features", "Written"))
            .Append(_ml.MulticlassClassification.Trainers.SdcaMaximumEntropy());

        using var model = pipeline.Fit(Rows(0, 24));

        var written = model.Transform(Rows(0, 24));
        Assert.All(written.GetColumn<string>("Written"), text => Assert.Contains(' ', text));
        var classifier = new TransformerChain<ITransformer>([.. model.Skip(2)]); // of texts that it has not seen, without the writer
        var real = model.First().Transform(_ml.Transforms.CopyColumns("Written", "Text").Fit(Rows(24, 12)).Transform(Rows(24, 12)));
        var metrics = _ml.MulticlassClassification.Evaluate(classifier.Transform(real));
        Assert.True(metrics.MicroAccuracy > 0.8, $"{metrics.MicroAccuracy}");
    }

    /// <summary>
    /// The package was built against TorchSharp 0.102. It disposes of what initializers return, which in TorchSharp 0.107 is the parameter
    /// itself: its networks lose their weights before they are trained. A later package that fails here no more is one to train with.
    /// </summary>
    [Fact]
    public void Text_classification_over_TorchSharp_loads_beside_a_tuned_model_but_disposes_of_its_own_weights()
    {
        _ml.TempFilePath = _folder.Path;
        using (var encoder = MakeBaseModel())
        {
            Assert.DoesNotContain(
                encoder.named_parameters(), parameter => parameter.name.Contains("EmbedTransfer", StringComparison.Ordinal));
            using var weights = torch.zeros(2, 2);
            Assert.Same(weights, torch.nn.init.zeros_(weights));
        }

        var classifier = _ml.MulticlassClassification.Trainers.TextClassification(
            sentence1ColumnName: "Written", batchSize: 8, maxEpochs: 1);
        using var prepared = _ml.Transforms.Conversion.MapValueToKey("Label", "Kind").Append(Writer()).Fit(Rows(0, 24));
        string[] before = [.. prepared.Transform(Rows(0, 6)).GetColumn<string>("Written")];

        var exception = Assert.Throws<InvalidOperationException>(() => classifier.Fit(prepared.Transform(Rows(0, 24))));

        Assert.Contains("empty handle", exception.Message, StringComparison.Ordinal);
        Assert.Contains("EmbedTransferDiscrete", exception.StackTrace, StringComparison.Ordinal);
        Assert.Equal(before, prepared.Transform(Rows(0, 6)).GetColumn<string>("Written")); // what stands beside it goes on
    }

    /// <summary>Trains on texts of a kind, and writes texts of it.</summary>
    private TextGeneratorEstimator Writer() => _ml.Transforms.Text.FineTuneTextGenerator(
        "Written", "Kind", options: new TextGeneratorOptions
        {
            PretrainedModel = TestData.TinyModel,
            CompletionColumnName = "Text",
            ValidationFraction = 0,
            Training = new LanguageTrainingOptions { NumberOfEpochs = 20, BatchSize = 4, LearningRate = 5e-3 },
            Generation = new GenerationOptions { MaximumNewTokens = 24, Sample = true, Temperature = 0.7, Seed = 3 },
        });

    private IDataView Rows(int first, int count) => _ml.Data.LoadFromEnumerable(Enumerable.Range(first, count).Select(i =>
    {
        var names = i % 2 == 0 ? s_animals : s_planets;
        var name = names[i / 2 % names.Length];
        return new Row
        {
            Kind = i % 2 == 0 ? Animals : Planets,
            Text = i % 2 == 0 ? $" the {name} ran to the old man {i}" : $" the {name} shone over the red hill {i}",
        };
    }));

    /// <summary>A base of random weights, in the form that the package loads.</summary>
    private NasBertEncoder MakeBaseModel()
    {
        Directory.CreateDirectory(_folder["mlnet"]);
        var encoder = new NasBertEncoder(
            paddingIdx: 1, vocabSize: 50265, dropout: 0.1, attentionDropout: 0.1, activationDropout: 0, activationFn: "gelu",
            dynamicDropout: false, maxSeqLen: 512, embedSize: 64, numSegments: 0, encoderNormalizeBefore: true, numEncoderLayers: 24,
            arches: [9, 11, 7, 0, 0, 0, 11, 11, 7, 0, 0, 0, 9, 7, 11, 0, 0, 0, 10, 7, 9, 0, 0, 0], applyBertInit: true,
            freezeTransfer: false);
        encoder.save(_folder[$"mlnet/{BaseModelFile}"]);
        return encoder;
    }

    private sealed class Row
    {
        public string Kind { get; set; } = "";

        public string Text { get; set; } = "";
    }
}
