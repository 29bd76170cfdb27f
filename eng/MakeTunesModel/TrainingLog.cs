namespace MLTransfer.Making;

/// <summary>What a program that makes a model has to say: on the console, and at the end of a file in the model's folder.</summary>
internal sealed class TrainingLog(string folder)
{
    private readonly string _path = Path.Combine(Directory.CreateDirectory(folder).FullName, "training.log");

    public void Write(string line)
    {
        Console.WriteLine(line);
        File.AppendAllText(_path, line + "\n");
    }
}
