// Loads a model file and transforms texts, as an application that knows nothing but ML.NET.
// Arguments: the model file, the output column's name, then texts. Prints one value a line, as JSON; on stderr the time it took to the first, and
// the native libraries and assemblies that the process has loaded at the end.
using System.Diagnostics;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

var clock = Stopwatch.StartNew();
var ml = new MLContext();
ITransformer model = ml.Model.Load(args[0], out _);
IDataView view = model.Transform(ml.Data.LoadFromEnumerable(args[2..].Select(text => new Row { Opening = text })));
IEnumerable<object> values = view.Schema[args[1]].Type is TextDataViewType ? view.GetColumn<string>(args[1]) : view.GetColumn<float[]>(args[1]);
foreach (object value in values)
{
    Console.WriteLine(JsonSerializer.Serialize(value));
    if (clock.IsRunning)
        Console.Error.WriteLine($"{clock.Elapsed.TotalSeconds:0.000} s from Model.Load to the first value");
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
