// Loads a model file and generates, as an application that knows nothing but ML.NET.
// Arguments: the model file, the output column's name, then prompts. Prints one generated text a line, as JSON; on stderr the time it took to the
// first, and the native libraries and assemblies that the process has loaded at the end.
using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

var clock = Stopwatch.StartNew();
var ml = new MLContext();
ITransformer model = ml.Model.Load(args[0], out _);
IDataView prompts = ml.Data.LoadFromEnumerable(args[2..].Select(prompt => new Row { Opening = prompt }));
foreach (string text in model.Transform(prompts).GetColumn<string>(args[1]))
{
    Console.WriteLine(JsonSerializer.Serialize(text));
    if (clock.IsRunning)
        Console.Error.WriteLine($"{clock.Elapsed.TotalSeconds:0.000} s from Model.Load to the first text");
    clock.Stop();
}

using var process = Process.GetCurrentProcess();
foreach (ProcessModule module in process.Modules)
    Console.Error.WriteLine($"loaded {module.ModuleName}");

internal sealed class Row
{
    public string? Opening { get; set; }

    public string? Text { get; set; }

    public float Number { get; set; }
}
