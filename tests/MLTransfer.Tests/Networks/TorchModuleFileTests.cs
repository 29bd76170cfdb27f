using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Numerics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Networks;

public sealed class TorchModuleFileTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("none")]
    [InlineData("features")]
    [InlineData("layers")]
    [InlineData("described")]
    [InlineData("module")]
    public void A_saved_network_gives_the_same_values_after_loading(string kind)
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(12));
        var model = Fit(kind, data, "model.zip");
        var expected = model.Transform(data).GetColumn<float[]>("Colour").ToList();

        var loaded = Load("model.zip");

        Assert.Equal(expected, loaded.Transform(data).GetColumn<float[]>("Colour"));
        Assert.Equal(JsonSerializer.Serialize(model.History), JsonSerializer.Serialize(loaded.History));
        _ml.Model.Save(loaded, data.Schema, _folder["again.zip"]);
        Assert.Equal(expected, Load("again.zip").Transform(data).GetColumn<float[]>("Colour"));
        if (kind != "module")
        {
            _ml.Generation.ExportToOnnx(model, _folder["one.onnx"]);
            _ml.Generation.ExportToOnnx(loaded, _folder["two.onnx"]);
            Assert.Equal(File.ReadAllBytes(_folder["one.onnx"]), File.ReadAllBytes(_folder["two.onnx"]));
        }
    }

    [Fact]
    public void TorchScript_in_a_file_is_run_only_where_the_application_allows_it()
    {
        File.WriteAllBytes(_folder["base.pt"], TorchScriptFile.Linear(3, 6));
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(6));
        var model = _ml.Transforms.FineTuneTorchModule("Colour", "Label", "Place", new TorchModuleOptions
        {
            Pretrained = PretrainedNetwork.TorchScript(_folder["base.pt"]), NewLayers = [Layer.Dense(2)],
            Training = new() { NumberOfEpochs = 2 }, Freezing = BaseFreezing.None,
        }).Fit(data);
        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);

        Assert.Contains("TrustedModules.AllowTorchScript = true", LoadError("model.zip"), StringComparison.Ordinal);
        TrustedModules.AllowTorchScript = true;
        try
        {
            Assert.Equal(
                model.Transform(data).GetColumn<float[]>("Colour"), Load("model.zip").Transform(data).GetColumn<float[]>("Colour"));
        }
        finally
        {
            TrustedModules.AllowTorchScript = false;
        }
    }

    [Theory]
    [InlineData("features")]
    [InlineData("layers")]
    public async Task Another_process_that_calls_only_ML_NET_loads_and_computes(string kind)
    {
        var drawings = Drawings.Save(10, _folder);
        var data = _ml.Data.LoadFromEnumerable(drawings);
        var model = _ml.Transforms.LoadImages("Image", imageFolder: null, "Opening")
            .Append(_ml.Transforms.ResizeImages("Image", Drawings.Size, Drawings.Size))
            .Append(_ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", Options(kind))).Fit(data);
        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);

        var (exitCode, output, errors) =
            await RunLoadingProcess("model.zip", "Colour", [.. drawings.Take(4).Select(drawing => drawing.Opening)]);

        Assert.True(exitCode == 0, errors);
        var found = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<float[]>(line)!)
            .ToList();
        var expected = model.Transform(data).GetColumn<float[]>("Colour").Take(4).ToList();
        Assert.Equal(4, found.Count);
        Assert.All(expected.Zip(found), row => Assert.All(row.First.Zip(row.Second), pair => Assert.Equal(pair.First, pair.Second, 1e-5f)));
    }

    [Fact]
    public async Task Another_process_makes_no_class_that_it_did_not_register()
    {
        var drawings = Drawings.Save(4, _folder);
        var data = _ml.Data.LoadFromEnumerable(drawings);
        var model = _ml.Transforms.LoadImages("Image", imageFolder: null, "Opening")
            .Append(_ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", Options("module", o => o.InputShape = [3, 16, 16])))
            .Fit(data);
        _ml.Model.Save(model, data.Schema, _folder["model.zip"]);

        var (exitCode, _, errors) = await RunLoadingProcess("model.zip", "Colour", drawings[0].Opening);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("TrustedModules.Register<MLTransfer.Tests.Networks.OwnModule>()", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("layers")]
    [InlineData("described")]
    public void A_changed_byte_is_either_found_or_changes_nothing(string kind)
    {
        var data = _ml.Data.LoadFromEnumerable(Drawings.Make(3));
        var expected = Fit(kind, data, "model.zip").Transform(data).GetColumn<float[]>("Colour").ToList();
        var bytes = File.ReadAllBytes(_folder["model.zip"]);
        var random = new Random(7);
        var refused = 0;
        for (var round = 0; round < 40; round++)
        {
            var changed = (byte[])bytes.Clone();
            var position = round % 2 == 0 ? random.Next(bytes.Length) : bytes.Length - 1 - random.Next(3000);
            changed[position] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(_folder["changed.zip"], changed);
            try
            {
                using var loaded = Load("changed.zip");
                Assert.Equal(expected, loaded.Transform(data).GetColumn<float[]>("Colour"));
            }
            catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 10, 40);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        foreach (var name in (string[])["new_layers.safetensors", "base.onnx"])
        {
            Fit("layers", _ml.Data.LoadFromEnumerable(Drawings.Make(3)), "model.zip");
            using (var zip = ZipFile.Open(_folder["model.zip"], ZipArchiveMode.Update))
                zip.Entries.Single(entry => entry.Name == name).Delete();

            Assert.Contains(name, LoadError("model.zip"), StringComparison.Ordinal);
        }
    }

    private TorchModuleTransformer Fit(string kind, IDataView data, string zip)
    {
        var model = _ml.Transforms.FineTuneTorchModule("Colour", "Image", "Label", Options(kind)).Fit(data);
        _ml.Model.Save(model, data.Schema, _folder[zip]);
        return model;
    }

    private TorchModuleOptions Options(string kind, Action<TorchModuleOptions>? change = null)
    {
        var options = new TorchModuleOptions
            { NewLayers = [Layer.Dense(16, Activation.Relu), Layer.Dense(3, Activation.Sigmoid)], Training = new() { NumberOfEpochs = 2 } };
        switch (kind)
        {
            case "none":
                options.NewLayers =
                    [Layer.Convolution(4, 3), Layer.BatchNormalization(), Layer.Flatten(), Layer.Dropout(0.2), .. options.NewLayers];
                break;
            case "features" or "layers":
                TestNetworks.PretrainToOnnx(_folder["base.onnx"], epochs: 1);
                options.Pretrained = kind == "features"
                    ? PretrainedNetwork.OnnxFeatures(_folder["base.onnx"], TestNetworks.Features)
                    : PretrainedNetwork.OnnxLayers(_folder["base.onnx"], TestNetworks.Features);
                options.Freezing = kind == "features" ? BaseFreezing.All : BaseFreezing.None;
                break;
            case "described":
                Layer[] layers =
                    [Layer.Convolution(4, 3, Activation.Relu) with { Name = "conv" }, Layer.BatchNormalization(), Layer.Flatten()];
                using (var sequence = LayerSequence.Create(layers, [3, 16, 16]))
                {
                    Torch.Checkpoints.Safetensors.SafetensorsWriter.Write(
                        _folder["base.safetensors"], sequence.state_dict().Select(pair => KeyValuePair.Create(pair.Key, pair.Value)));
                }

                (options.Pretrained, options.Freezing) = (PretrainedNetwork.Layers(_folder["base.safetensors"], layers), BaseFreezing.None);
                break;
            default:
                (options.Pretrained, options.Freezing) = (PretrainedNetwork.Module<OwnModule>(), BaseFreezing.None);
                break;
        }

        change?.Invoke(options);
        return options;
    }

    private TorchModuleTransformer Load(string zip) => new MLContext(99).Model.Load(_folder[zip], out _) switch
    {
        TorchModuleTransformer transformer => transformer,
        var chain => (TorchModuleTransformer)((IEnumerable<ITransformer>)chain).Last(),
    };

    /// <summary>The message of the error that loading gives, with its causes: ML.NET wraps what a component throws.</summary>
    private string LoadError(string zip) => Assert.ThrowsAny<Exception>(() => Load(zip)).ToString();

    private async Task<(int ExitCode, string Output, string Errors)> RunLoadingProcess(string zip, string column, params string[] rows)
    {
        // The loading process has an output folder like that of the tests, next to it.
        var name = "MLTransfer.Tests.LoadingProcess";
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var program = Path.Combine(AppContext.BaseDirectory, "..", "..", name, configuration, name + ".dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, _folder[zip], column, .. rows])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = System.Text.Encoding.UTF8,
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
