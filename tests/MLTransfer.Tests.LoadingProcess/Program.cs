// Loads model files and transforms rows, as an application that knows nothing but ML.NET.
// Arguments: the model files with the path separator between them, the output column's name, then texts or numbers. Prints one value a
// line, as JSON; on stderr the time it took to the first, and the native libraries and assemblies that the process has loaded at the end.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

var clock = Stopwatch.StartNew();
var ml = new MLContext();
foreach (string file in args[0].Split(Path.PathSeparator))
{
    ITransformer model = ml.Model.Load(file, out _);
    IDataView view = model.Transform(ml.Data.LoadFromEnumerable(args[2..].Select(
        text => new Row { Opening = text, Number = float.TryParse(text, CultureInfo.InvariantCulture, out float number) ? number : 0 })));
    IEnumerable<object> values = view.Schema[args[1]].Type switch
    {
        TextDataViewType => view.GetColumn<string>(args[1]),
        ImageDataViewType => view.GetColumn<MLImage>(args[1]).Select(image => image.Pixels.ToArray()),
        VectorDataViewType { ItemType: NumberDataViewType { RawType: { } type } } when type == typeof(byte) =>
            view.GetColumn<byte[]>(args[1]),
        _ => view.GetColumn<float[]>(args[1]),
    };
    foreach (object value in values)
    {
        Console.WriteLine(JsonSerializer.Serialize(value));
        if (clock.IsRunning)
            Console.Error.WriteLine($"{clock.Elapsed.TotalSeconds:0.000} s from Model.Load to the first value");
        clock.Stop();
    }
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
