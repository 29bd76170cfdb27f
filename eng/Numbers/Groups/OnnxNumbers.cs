using Microsoft.ML;
using Numbers.Data;
using Numbers.Library;
using Numbers.Reports;
using Numbers.Settings;
using static TorchSharp.torch;

namespace Numbers.Groups;

/// <summary>Exported files: their bytes, nodes and weights, and what ONNX Runtime generates with them.</summary>
internal static class OnnxNumbers
{
    private static readonly string[] s_precisions = ["Float32", "Float16", "Int8", "Int4"];

    public static void Write(Report report)
    {
        foreach (var precision in s_precisions)
        {
            foreach (var fused in (bool[])[false, true])
            {
                var settings = new OnnxSettings { Precision = precision, Fused = fused };
                var kind = $"{precision}/{(fused ? "fused" : "plain")}";
                Export(report, $"onnx/tiny/{kind}/weights", () => LanguageModel.Load(TestData.Tiny), settings);
                Export(report, $"onnx/tiny/{kind}/merged", Adapted, settings);
                Export(report, $"onnx/tiny/{kind}/separate", Adapted, settings with { SeparateAdapter = true });
                Export(report, $"onnx/tales/{kind}/weights", () => LanguageModel.Load(Files.TalesFolder), settings);
                Export(report, $"onnx/tales/{kind}/merged", AdaptedTales, settings);
                Export(report, $"onnx/tales/{kind}/separate", AdaptedTales, settings with { SeparateAdapter = true });
                foreach (var (name, configuration) in TestData.Variants)
                    Export(report, $"onnx/{name}/{kind}", () => LanguageModel.Create(configuration), settings);
            }
        }

        Export(report, "onnx/tiny/with_past_alone",
            () => LanguageModel.Load(TestData.Tiny), new OnnxSettings { WithoutPast = false, Check = true });
        Export(report, "onnx/tales/transformers_js",
            () => LanguageModel.Load(Files.TalesFolder), new OnnxSettings { TransformersJs = true, Check = true });
        ReplacedAdapter(report);
        Images(report);
        Networks(report);
        Generated(report);
    }

    /// <summary>Lines of one file.</summary>
    public static void Describe(Report report, string name, string path)
    {
        var file = OnnxFile.Read(path);
        report.FileBytes($"{name}/file", path);
        report.Add($"{name}/nodes", System.Text.Encoding.UTF8.GetBytes(file.NodeList), $"{file.Nodes} nodes");
        report.Add($"{name}/initializers", System.Text.Encoding.UTF8.GetBytes(file.InitializerList), $"{file.Initializers} initializers");
        report.Add($"{name}/values", System.Text.Encoding.UTF8.GetBytes(file.ValueList), "");
    }

    private static void Export(Report report, string name, Func<LanguageModel> load, OnnxSettings settings) => report.Case(name, () =>
    {
        using var model = load();
        var folder = Scratch.Path();
        model.ExportToOnnx(folder, settings);
        DescribeFolder(report, name, folder);
        Directory.Delete(folder, recursive: true);
    });

    private static void DescribeFolder(Report report, string name, string folder)
    {
        report.Folder(name, folder, file => !file.EndsWith(".onnx", StringComparison.Ordinal));
        foreach (var path in Directory.EnumerateFiles(folder, "*.onnx", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            Describe(report, $"{name}/{Path.GetRelativePath(folder, path)}", path);
    }

    private static void ReplacedAdapter(Report report) => report.Case("onnx/replaced_adapter", () =>
    {
        using var first = Adapted();
        using var second = LanguageModel.Load(TestData.Tiny);
        second.LoadAdapters(TestData.File("gpt2-tiny/lora_start"));
        var folder = Scratch.Path();
        first.ExportToOnnx(folder, new OnnxSettings { SeparateAdapter = true });
        second.ReplaceAdapterOfOnnx(folder);
        DescribeFolder(report, "onnx/replaced_adapter", folder);
    });

    private static void Images(Report report)
    {
        foreach (var noise in (string[])["Constant", "None"])
        {
            Export("tiny", () => ImageModel.Load(TestData.File("stylegan2-tiny")));
            Export("labels", () => ImageModel.Create(labels: 3, clamp: 0.7));
            Export("shapes", () => ImageModel.Load(Files.ShapesFolder));

            void Export(string name, Func<ImageModel> load) => report.Case($"onnx/images/{name}/{noise}", () =>
            {
                using var model = load();
                var path = Path.Combine(Scratch.Folder(), "model.onnx");
                model.ExportToOnnx(path, noise);
                Describe(report, $"onnx/images/{name}/{noise}", path);
            });
        }
    }

    private static void Networks(Report report)
    {
        foreach (var layers in (string[])["all", "pictures to classes"])
        {
            report.Case($"onnx/networks/{layers}", () =>
            {
                var ml = new MLContext(seed: 1);
                var data = VectorRow.View(ml, 20, layers == "all" ? 4 : 3);
                using var model = NetworkPipelineModel.FineTune<OwnModule>(
                    ml, data, "Out", nameof(VectorRow.Values), nameof(VectorRow.Label), new NetworkPipeline(layers)
                {
                    InputShape = [3, 8, 8], Training = new() { Epochs = 1, Loss = "CategoricalCrossEntropy" },
                });
                var path = Path.Combine(Scratch.Folder(), "model.onnx");
                model.ExportToOnnx(ml, path);
                Describe(report, $"onnx/networks/{layers}", path);
            });
        }
    }

    private static void Generated(Report report)
    {
        foreach (var precision in s_precisions)
        {
            report.Case($"onnx/generated/{precision}", () =>
            {
                using var model = LanguageModel.Load(Files.TalesFolder);
                var folder = Scratch.Path();
                model.ExportToOnnx(folder, new OnnxSettings { Precision = precision, WithoutPast = false });
                using (var generator = new OnnxLanguageModel(folder))
                {
                    TextNumbers.Continuations(
                        report, $"onnx/generated/{precision}",
                            decoding => generator.Generate(["The old man looked at the planet", "Once upon", "It"], decoding),
                        isShort: precision != "Float32");
                }

                Directory.Delete(folder, recursive: true);
            });
        }
    }

    private static LanguageModel Adapted()
    {
        var model = LanguageModel.Load(TestData.Tiny);
        model.LoadAdapters(TestData.File("gpt2-tiny/lora_end"));
        return model;
    }

    private static LanguageModel AdaptedTales()
    {
        var model = LanguageModel.Load(Files.TalesFolder);
        manual_seed(4);
        model.Attach(new Adapters(4, 0, "c_attn", "mlp.c_proj"));
        TextNumbers.Randomize(model);
        return model;
    }
}
