using MLTransfer.Tests.Persistence;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training.Described;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Tests.Networks;

/// <summary>What ML.NET's own evaluation and its mappings of keys need of a network that tells classes.</summary>
public sealed class PredictedLabelTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_label_is_evaluated_and_cross_validated_by_ML_NET()
    {
        var data = Keyed(nameof(Flower.Kind));
        using var model = Classifier().Fit(data);

        var metrics = _ml.MulticlassClassification.Evaluate(model.Transform(data));

        Assert.True(metrics.MacroAccuracy > 0.9, $"{metrics.MacroAccuracy}");
        Assert.True(metrics.LogLoss < 0.5, $"{metrics.LogLoss}");
        Assert.Equal(3, metrics.ConfusionMatrix.NumberOfClasses);
        var folds = _ml.MulticlassClassification.CrossValidate(data, Classifier(), numberOfFolds: 2);
        Assert.All(folds, fold => Assert.True(fold.Metrics.MacroAccuracy > 0.8, $"{fold.Metrics.MacroAccuracy}"));
    }

    [Theory]
    [InlineData(nameof(Flower.Kind))]
    [InlineData(nameof(Flower.Number))]
    [InlineData(nameof(Flower.Price))]
    [InlineData(nameof(Flower.IsRose))]
    public void The_predicted_label_stands_for_the_values_of_the_label_after_loading_too(string label)
    {
        var data = Keyed(label);
        var classes = label == nameof(Flower.IsRose) ? 2 : 3;
        var estimator = Classifier(classes).Append(_ml.Transforms.Conversion.MapKeyToValue("Told", "PredictedLabel"));
        var shape = estimator.GetOutputSchema(SchemaShape.Create(data.Schema));
        using var model = estimator.Fit(data);
        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);
        using var loaded = (TransformerChain<ITransformer>)_ml.Model.Load(_folder["model.zip"], out _);

        foreach (var transformer in (ITransformer[])[model, loaded])
        {
            var output = transformer.Transform(data);
            Assert.Equal(shape.Select(column => (column.Name, column.IsKey)),
                SchemaShape.Create(output.Schema).Select(column => (column.Name, column.IsKey)));
            Assert.Equal(new KeyDataViewType(typeof(uint), classes), output.Schema["PredictedLabel"].Type);
            Assert.Equal(Described(data.Schema["Label"], "KeyValues"), Described(output.Schema["PredictedLabel"], "KeyValues"));
            Assert.Equal(Described(data.Schema["Label"], "KeyValues"), Described(output.Schema["Score"], "SlotNames"));
            Assert.Equal(data.Schema[label].Type, output.Schema["Told"].Type);
            var (told, known) = (Values(output, "Told"), Values(data, label));
            Assert.True(told.Zip(known).Count(pair => pair.First == pair.Second) > 50);
        }

        string[] Described(DataViewSchema.Column column, string kind)
        {
            VBuffer<ReadOnlyMemory<char>> texts = default;
            switch (column.Annotations.Schema[kind].Type.GetItemType().RawType)
            {
                case var type when type == typeof(ReadOnlyMemory<char>):
                    column.Annotations.GetValue(kind, ref texts);
                    return [.. texts.DenseValues().Select(value => value.ToString())];
                case var type when type == typeof(int):
                    return Read<int>();
                case var type when type == typeof(bool):
                    return Read<bool>();
                default:
                    return Read<float>();
            }

            string[] Read<T>()
            {
                VBuffer<T> values = default;
                column.Annotations.GetValue(kind, ref values);
                return [.. values.DenseValues().Select(value => FormattableString.Invariant($"{value}"))];
            }
        }

        static List<string> Values(IDataView view, string column) => [.. view.Schema[column].Type switch
        {
            TextDataViewType => view.GetColumn<string>(column),
            BooleanDataViewType => view.GetColumn<bool>(column).Select(value => $"{value}"),
            NumberDataViewType number when number == NumberDataViewType.Int32 => view.GetColumn<int>(column).Select(value => $"{value}"),
            _ => view.GetColumn<float>(column).Select(value => $"{value}"),
        }];
    }

    [Fact]
    public async Task Another_process_tells_the_classes_by_their_names()
    {
        var drawings = Drawings.Save(8, _folder);
        var data = _ml.Data.LoadFromEnumerable(drawings);
        data = _ml.Transforms.Conversion.MapValueToKey("Kind", "Class").Fit(data).Transform(data);
        using var model = _ml.Transforms.LoadImages("Image", imageFolder: null, "Opening")
            .Append(_ml.Transforms.ResizeImages("Image", Drawings.Size, Drawings.Size))
            .Append(_ml.Transforms.FineTuneTorchModule("Score", "Image", "Kind", new TorchModuleOptions
            {
                NewLayers = [Layer.Flatten(), Layer.Dense(3, Activation.Softmax)],
                Training = new() { Loss = TrainingLoss.CategoricalCrossEntropy, NumberOfEpochs = 3 },
            })).Append(_ml.Transforms.Conversion.MapKeyToValue("Text", "PredictedLabel")).Fit(data);
        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);

        var (texts, _) = await LoadingProcess.RunAsync(_folder["model.zip"], "Text", [.. drawings.Select(drawing => drawing.Opening)]);

        Assert.Equal(model.Transform(data).GetColumn<string>("Text"), texts);
        Assert.All(texts, text => Assert.Contains(text, (string[])["red", "green", "blue"]));
    }

    [Fact]
    public void A_Boolean_label_is_evaluated_and_cross_validated_by_ML_NET()
    {
        var data = Flower.Load(_ml);
        using var model = TruthTeller("Probability").Fit(data);

        var output = model.Transform(data);

        Assert.Equal(["Probability", "PredictedLabel", "Score"], output.Schema.TakeLast(3).Select(column => column.Name));
        var rows = output.GetColumn<float>("Probability").Zip(output.GetColumn<bool>("PredictedLabel"), output.GetColumn<float>("Score"));
        Assert.All(rows, row =>
        {
            Assert.Equal(row.First > 0.5f, row.Second);
            Assert.Equal(row.First, 1 / (1 + Math.Exp(-row.Third)), 1e-5);
        });
        var metrics = _ml.BinaryClassification.Evaluate(output, nameof(Flower.IsRose));
        Assert.True(metrics.Accuracy > 0.9, $"{metrics.Accuracy}");
        Assert.True(metrics.LogLoss < 0.7, $"{metrics.LogLoss}");
        Assert.True(metrics.NegativeRecall > 0.8, $"{metrics.NegativeRecall}");
        var folds = _ml.BinaryClassification.CrossValidate(data, TruthTeller("Probability"), 2, nameof(Flower.IsRose));
        Assert.All(folds, fold => Assert.True(fold.Metrics.AreaUnderRocCurve > 0.8, $"{fold.Metrics.AreaUnderRocCurve}"));
    }

    [Fact]
    public void Columns_that_are_not_wanted_are_left_out_and_names_that_meet_are_refused()
    {
        var data = Keyed(nameof(Flower.Kind));
        using (var plain = Classifier(change: options => options.PredictedLabelColumnName = null).Fit(data))
            Assert.DoesNotContain(plain.GetOutputSchema(data.Schema), column => column.Name == "PredictedLabel");
        using (var other = Classifier(change: options => options.PredictedLabelColumnName = "Best").Fit(data))
            Assert.Contains(other.GetOutputSchema(data.Schema), column => column.Name == "Best");

        Assert.Contains("PredictedLabelColumnName is 'Score'", Assert.Throws<ArgumentException>(
            () => Classifier(change: options => options.PredictedLabelColumnName = "Score").Fit(data)).Message, StringComparison.Ordinal);
        Assert.Contains("'Probability' for two", Assert.Throws<ArgumentException>(
            () => TruthTeller("Score").GetOutputSchema(SchemaShape.Create(data.Schema))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TrainingLoss.CategoricalCrossEntropy, Activation.None, "Activation.Softmax")]
    [InlineData(TrainingLoss.CategoricalCrossEntropy, Activation.Sigmoid, "Activation.Softmax")]
    [InlineData(TrainingLoss.BinaryCrossEntropy, Activation.None, "Activation.Sigmoid")]
    [InlineData(TrainingLoss.BinaryCrossEntropy, Activation.Tanh, "Activation.Sigmoid")]
    public void A_cross_entropy_of_what_is_no_probability_is_refused(TrainingLoss loss, Activation last, string remedy)
    {
        var data = Keyed(nameof(Flower.Kind));
        var estimator = Classifier(change: options => (options.NewLayers, options.Training) =
            ([Layer.Dense(3, last)], new() { Loss = loss, NumberOfEpochs = 1 }));

        // The label of a binary cross-entropy is no key.
        var estimatorOfLoss = loss == TrainingLoss.CategoricalCrossEntropy ? estimator : TruthTeller("Probability", last);
        var message = Assert.Throws<ArgumentException>(() => estimatorOfLoss.Fit(data)).Message;

        Assert.Contains($"Loss is {loss}, which takes probabilities", message, StringComparison.Ordinal);
        Assert.Contains(remedy, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pretrained_network_that_gives_probabilities_goes_with_a_cross_entropy_and_another_does_not()
    {
        var data = Keyed(nameof(Flower.Kind));
        using var linear = nn.Linear(4, 3);
        SafetensorsWriter.Write(_folder["weights.safetensors"], [new("0.weight", linear.weight!), new("0.bias", linear.bias!)]);
        TorchModuleEstimator On(Activation last) => Classifier(change: options =>
        {
            options.Pretrained = PretrainedNetwork.Layers(_folder["weights.safetensors"], [Layer.Dense(3), Layer.Activate(last)]);
            (options.NewLayers, options.Freezing) = ([], BaseFreezing.None);
        });

        using var model = On(Activation.Softmax).Fit(data);

        Assert.True(_ml.MulticlassClassification.Evaluate(model.Transform(data)).MacroAccuracy > 0.9);
        Assert.Throws<ArgumentException>(() => On(Activation.None).Fit(data));
    }

    private IDataView Keyed(string label)
    {
        var data = Flower.Load(_ml);
        return _ml.Transforms.Conversion.MapValueToKey("Label", label).Fit(data).Transform(data);
    }

    private TorchModuleEstimator Classifier(int classes = 3, Action<TorchModuleOptions>? change = null)
    {
        var options = new TorchModuleOptions
        {
            NewLayers = [Layer.Dense(8, Activation.Relu), Layer.Dense(classes, Activation.Softmax)],
            Training = new()
            {
                Loss = TrainingLoss.CategoricalCrossEntropy, NumberOfEpochs = 40, BatchSize = 8, LearningRate = 1e-2,
            },
        };
        change?.Invoke(options);
        return _ml.Transforms.FineTuneTorchModule("Score", nameof(Flower.Measures), "Label", options);
    }

    private TorchModuleEstimator TruthTeller(string output, Activation last = Activation.Sigmoid) =>
        _ml.Transforms.FineTuneTorchModule(output, nameof(Flower.Measures), nameof(Flower.IsRose), new TorchModuleOptions
        {
            NewLayers = [Layer.Dense(8, Activation.Relu), Layer.Dense(1, last)],
            Training = new() { Loss = TrainingLoss.BinaryCrossEntropy, NumberOfEpochs = 40, BatchSize = 8, LearningRate = 1e-2 },
        });
}
