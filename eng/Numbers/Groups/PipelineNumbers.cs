using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Numbers.Data;
using Numbers.Library;
using Numbers.Reports;
using Numbers.Settings;

namespace Numbers.Groups;

/// <summary>ML.NET pipelines: final weights, and what they give for the rows of a view.</summary>
internal static class PipelineNumbers
{
    public static void Write(Report report)
    {
        Texts(report);
        Images(report);
        Networks(report);
    }

    private static void Texts(Report report)
    {
        var tiny = new TextPipeline { Model = TestData.Tiny };
        FineTune("plain", tiny);
        FineTune("best_model", tiny with { KeepBestModel = true, LearningRate = 0.05 });
        FineTune("seed", tiny with { Seed = 5, Dropout = 0.1 });
        FineTune("adapters", tiny with { Adapters = new Adapters(4, 0.1, "c_attn"), Dropout = 0.1 });
        FineTune("last_block", tiny with { TrainableBlocks = 1 });
        FineTune("frozen", tiny with { FrozenParameters = ["transformer.wte.*"] });
        FineTune("packed", tiny with { Packing = "Packed", MaximumLength = 48 });
        FineTune("concatenated", tiny with { Packing = "Concatenated", MaximumLength = 32 });
        FineTune("grouped", tiny with { GroupByLength = true });
        FineTune("bfloat16", tiny with { Precision = "BFloat16", DecodingPrecision = "BFloat16" });
        FineTune("int8", tiny with { DecodingPrecision = "Int8" });
        FineTune("sampled", tiny with { Decoding = new() { NewTokens = 8, Sample = true, TopK = 20 } });
        FineTune("beams", tiny with { Decoding = new() { NewTokens = 8, Beams = 3, Sequences = 2 } });
        FineTune("columns", tiny with { IdsColumn = "Ids", LogProbabilitiesColumn = "Log" });
        FineTune("tales", new TextPipeline { LearningRate = 5e-4, Steps = 2 });
        FineTune("tales_adapters_int8",
            new TextPipeline { LearningRate = 5e-4, Steps = 2, Adapters = new Adapters(8, 0, "c_attn"), DecodingPrecision = "Int8" });
        foreach (var format in (string[])["Float32", "BFloat16", "Int8"])
        {
            Case($"pretrained_{format}", (name, ml, data) =>
            {
                using var model = TextPipelineModel.Pretrained(
                    ml, data, "Out", nameof(Story.Opening),
                    new TextPipeline { DecodingPrecision = format, IdsColumn = "Ids", LogProbabilitiesColumn = "Log" });
                Publish(name, model, data);
            });
        }

        Case("completions", (name, ml, data) =>
        {
            using var model = TextPipelineModel.FineTune(
                ml, data, "Out", nameof(Story.Opening), null, tiny with { CompletionColumn = nameof(Story.Completion), Steps = 5 });
            report.Numbers($"{name}/log", model.Log);
            report.Tensors($"{name}/weights", model.Weights);
            report.Numbers($"{name}/evaluated", model.Evaluate(ml, data));
            Publish(name, model, data);
        });
        Case("saved", (name, ml, data) =>
        {
            using var model = TextPipelineModel.FineTune(
                ml, data, "Out", nameof(Story.Opening), nameof(Story.Text), tiny with { Adapters = new Adapters(4, 0.1, "c_attn") });
            var file = Path.Combine(Scratch.Folder(), "model.zip");
            model.Save(ml, data.Schema, file);
            using var loaded = TextPipelineModel.Load(ml, file);
            report.Tensors($"{name}/loaded_weights", loaded.Weights);
            Publish(name, loaded, data);
            foreach (var type in (string[])["Float32", "Float16"])
            {
                var folder = Scratch.Path();
                model.SaveFolder(ml, folder, type);
                report.Folder($"{name}/folder_{type}", folder);
            }

            var export = Scratch.Path();
            model.ExportToOnnx(ml, export, new OnnxSettings());
            report.Folder($"{name}/onnx", export);
        });

        void FineTune(string kind, TextPipeline settings) => Case(kind, (name, ml, data) =>
        {
            using var model = TextPipelineModel.FineTune(ml, data, "Out", nameof(Story.Opening), nameof(Story.Text), settings);
            report.Numbers($"{name}/log", model.Log);
            report.Tensors($"{name}/weights", model.Weights);
            report.Numbers($"{name}/evaluated", model.Evaluate(ml, data, nameof(Story.Text)));
            Publish(name, model, data);
        });

        void Case(string kind, Action<string, MLContext, IDataView> action) => report.Case($"pipelines/text/{kind}", () =>
        {
            var ml = new MLContext(seed: 1);
            action($"pipelines/text/{kind}", ml, ml.Data.LoadFromEnumerable(Story.Make(8)));
        });

        void Publish(string name, TextPipelineModel model, IDataView data)
        {
            var view = model.Transformer.Transform(data);
            report.Text($"{name}/texts", string.Join('\n', view.Schema["Out"].Type is VectorDataViewType
                ? view.GetColumn<string[]>("Out").SelectMany(texts => texts) : view.GetColumn<string>("Out")));
            if (view.Schema.GetColumnOrNull("Ids") is not null)
            {
                report.Ids($"{name}/ids", view.GetColumn<int[]>("Ids").SelectMany(ids => ids));
                report.Numbers($"{name}/log_probabilities", view.GetColumn<float[]>("Log").SelectMany(values => values));
            }
        }
    }

    private static void Images(Report report)
    {
        Pretrained("shapes", new ImagePipeline());
        Pretrained("shapes_truncated", new ImagePipeline { Truncation = 0.6, Noise = "None", GenerationBatchSize = 16 });
        foreach (var precision in (string[])["Float32", "BFloat16"])
        {
            FineTune($"tiny_{precision}", () => new ImagePipeline { Model = Random(), Precision = precision, Seed = 5 });
            FineTune($"tiny_context_seed_{precision}", () => new ImagePipeline { Model = Random(), Precision = precision, Noise = "None" });
            FineTune($"labels_{precision}",
                () => new ImagePipeline { Model = Random(3), Precision = precision, LabelColumn = nameof(Drawing.Class), Seed = 5 });
        }

        void FineTune(string kind, Func<ImagePipeline> settings) => Case(kind, (name, ml, data) =>
        {
            var options = settings();
            using var model = ImagePipelineModel.FineTune(ml, data, "Picture", nameof(Drawing.Number), nameof(Drawing.Image), options);
            report.Numbers($"{name}/log", model.Log);
            report.Tensors($"{name}/weights", model.Weights);
            var fresh = Data(ml, options.LabelColumn);
            Publish($"{name}/pictures", model, fresh);
            var file = Path.Combine(Scratch.Folder(), "model.zip");
            model.Save(ml, fresh.Schema, file);
            using var loaded = ImagePipelineModel.Load(ml, file);
            report.Tensors($"{name}/loaded_weights", loaded.Weights);
            Publish($"{name}/loaded_pictures", loaded, Data(ml, options.LabelColumn));
            if (options.Precision == "Float32")
            {
                var export = Path.Combine(Scratch.Folder(), "model.onnx");
                model.ExportToOnnx(ml, export);
                OnnxNumbers.Describe(report, $"{name}/onnx", export);
            }
        }, settings().LabelColumn);

        void Pretrained(string kind, ImagePipeline settings) => Case(kind, (name, ml, data) =>
        {
            using var model = ImagePipelineModel.Pretrained(ml, data, "Picture", nameof(Drawing.Number), settings);
            Publish($"{name}/pictures", model, data);
        });

        void Case(string kind, Action<string, MLContext, IDataView> action, string? label = null) =>
            report.Case($"pipelines/images/{kind}", () =>
        {
            var ml = new MLContext(seed: 1);
            action($"pipelines/images/{kind}", ml, Data(ml, label));
        });

        static IDataView Data(MLContext ml, string? label)
        {
            var data = ml.Data.LoadFromEnumerable(Drawing.Make(12));
            return label is null ? data : ml.Transforms.Conversion.MapValueToKey(label).Fit(data).Transform(data);
        }

        static string Random(int labels = 0)
        {
            using var model = ImageModel.Create(labels);
            var folder = Scratch.Folder();
            model.Save(folder);
            return folder;
        }

        void Publish(string name, ImagePipelineModel model, IDataView data) => report.Add(
            name, [.. model.Transformer.Transform(data).GetColumn<MLImage>("Picture").SelectMany(picture => picture.Pixels.ToArray())], "");
    }

    private static void Networks(Report report)
    {
        FineTune("colours", nameof(Drawing.Colour), () => new("vector") { Seed = 4 });
        FineTune("colours_validated", nameof(Drawing.Colour), () => new("vector") { ValidationFraction = 0.25, InputScaling = "ImageNet" });
        FineTune("classes", nameof(Drawing.Class),
            () => new("classes") { Training = new() { Loss = "CategoricalCrossEntropy", Optimizer = "AdamW", WeightDecay = 0.01 } },
            isKey: true);
        FineTune("pictures", nameof(Drawing.Image),
            () => new("picture to picture") { InputScaling = "MinusOneToOne", Training = new() { Epochs = 2 } });
        FineTune("own_module", nameof(Drawing.Colour),
            () => new("dense") { Base = "module", BaseFile = OwnModule.SavedWeights() }, hasGraph: false);
        FineTune("own_module_whole", nameof(Drawing.Colour),
            () => new("dense") { Base = "module", BaseFile = OwnModule.SavedWeights(), Freezing = "none" }, hasGraph: false);
        FineTune("onnx_features", nameof(Drawing.Colour),
            () => new("recipe") { Base = "features", BaseFile = Pretrain(), BaseOutputOf = "Flatten", InputScaling = "Pixels" });
        FineTune("onnx_layers", nameof(Drawing.Colour),
            () => new("recipe") { Base = "layers", BaseFile = Pretrain(), BaseOutputOf = "Flatten", InputScaling = "Pixels" });
        FineTune("onnx_layers_partly", nameof(Drawing.Colour),
            () => new("recipe") { Base = "layers", BaseFile = Pretrain(), BaseOutputOf = "Flatten", InputScaling = "Pixels",
                Freezing = "1" });
        FineTune("onnx_layers_whole", nameof(Drawing.Colour),
            () => new("recipe") { Base = "layers", BaseFile = Pretrain(), BaseOutputOf = "Flatten", InputScaling = "Pixels",
                Freezing = "none" });

        void FineTune(string kind, string label, Func<NetworkPipeline> settings, bool isKey = false, bool hasGraph = true) =>
            report.Case($"pipelines/networks/{kind}", () =>
        {
            var name = $"pipelines/networks/{kind}";
            var ml = new MLContext(seed: 1);
            var data = Data();
            using var model = NetworkPipelineModel.FineTune<OwnModule>(ml, data, "Out", nameof(Drawing.Image), label, settings());
            report.Numbers($"{name}/log", model.Log.SelectMany(epoch => epoch));
            report.Tensors($"{name}/weights", model.State);
            Publish($"{name}/rows", model);
            var file = Path.Combine(Scratch.Folder(), "model.zip");
            model.Save(ml, data.Schema, file);
            using var loaded = NetworkPipelineModel.Load(ml, file);
            report.Tensors($"{name}/loaded_weights", loaded.State);
            Publish($"{name}/loaded_rows", loaded);
            if (hasGraph)
            {
                var export = Path.Combine(Scratch.Folder(), "model.onnx");
                model.ExportToOnnx(ml, export);
                OnnxNumbers.Describe(report, $"{name}/onnx", export);
            }

            IDataView Data()
            {
                var rows = ml.Data.LoadFromEnumerable(Drawing.Make(24));
                return isKey ? ml.Transforms.Conversion.MapValueToKey(label).Fit(rows).Transform(rows) : rows;
            }

            void Publish(string name, NetworkPipelineModel model)
            {
                var view = model.Transformer.Transform(Data());
                if (view.Schema["Out"].Type is ImageDataViewType)
                    report.Add(name, [.. view.GetColumn<MLImage>("Out").SelectMany(picture => picture.Pixels.ToArray())], "");
                else
                    report.Numbers(name, view.GetColumn<float[]>("Out").SelectMany(values => values));
            }
        });

        // A network that tells where a square is.
        static string Pretrain()
        {
            var ml = new MLContext(seed: 5);
            using var model = NetworkPipelineModel.FineTune<OwnModule>(
                ml, ml.Data.LoadFromEnumerable(Drawing.Make(24)), "Found", nameof(Drawing.Image), nameof(Drawing.Place),
                new NetworkPipeline("base") { Training = new() { Epochs = 1, LearningRate = 3e-3 } });
            var path = Path.Combine(Scratch.Folder(), "base.onnx");
            model.ExportToOnnx(ml, path);
            return path;
        }
    }
}
